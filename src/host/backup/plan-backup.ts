import type { HostContainer, HostState, HostVolume } from '../state.ts'
import type { BackupArchive } from './format.ts'

type KeyedVolume = HostVolume & { readonly key: string }

/** A volume that goes into a backup, with what it is called on the Engine. */
export interface VolumeToKeep {
  readonly volume: string
  readonly archive: BackupArchive
}

/** The volumes that a backup takes: all but caches, which anybody can fetch again, unless they are asked for. */
export function volumesToKeep(current: HostState, withCache: boolean): VolumeToKeep[] {
  return volumesInUse(current)
    .filter(({ holds }) => withCache || holds !== 'cache')
    .map(({ name, key, holds }) => ({
      volume: name,
      archive: { type: 'volume', of: key, ...(holds !== undefined && { holds }) },
    }))
}

/**
 * The one volume of each key that counts: that of a running container, else of any, else the one that Compose would
 * name so. An interrupted restore may leave a second one.
 */
export function volumesInUse(current: HostState): KeyedVolume[] {
  const own = current.volumes.filter((one): one is KeyedVolume => one.key !== undefined)
  const keys = [...new Set(own.map(({ key }) => key))].sort()
  return keys.map((key) => {
    const candidates = own.filter((one) => one.key === key)
    const rank = ({ name }: HostVolume): number =>
      Math.max(0, ...current.containers.map((one) => (one.volumes.includes(name) ? rankOf(one) : 0))) +
      (name === `${current.name}_${key}` ? 1 : 0)
    return candidates.sort((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1))[0]!
  })
}

function rankOf({ status, health }: HostContainer): number {
  if (status === 'running') return health === 'healthy' || health === 'none' ? 8 : 6
  return status === 'created' ? 2 : 4
}
