import type { Compose } from '../../definition/compose.ts'
import { nameOnEngine } from '../container-spec.ts'
import type { HostState } from '../state.ts'
import { volumesInUse } from './plan-backup.ts'

/**
 * The Compose file with its volumes called what they are called on this host, those of the keys in `fresh` by names
 * that are free. A restore fills a new volume beside the one that serves, and an Engine cannot rename volumes: from
 * then on the appliance's volume has the new name.
 */
export function withVolumeNames(
  compose: Compose,
  current: HostState,
  fresh: readonly string[] = [],
): Compose {
  const inUse = volumesInUse(current)
  const taken = new Set([...current.volumes.map(({ name }) => name), ...current.foreign.volumes])
  return {
    ...compose,
    volumes: compose.volumes.map((volume) => {
      const usual = nameOnEngine(current.name, volume)
      const present = inUse.find(({ key }) => key === volume.key)?.name ?? usual
      const name = fresh.includes(volume.key) ? freeName(usual, taken) : present
      return name === usual ? volume : { ...volume, name }
    }),
  }
}

function freeName(usual: string, taken: ReadonlySet<string>): string {
  let name = usual
  for (let number = 2; taken.has(name); number++) name = `${usual}.${number}`
  return name
}
