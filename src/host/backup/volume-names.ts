import type { Compose, ComposeVolume } from '../../definition/compose.ts'
import { commandName } from '../../lib/command-name.ts'
import { badInput } from '../../lib/errors.ts'
import { nameOnEngine } from '../container-spec.ts'
import type { HostState } from '../state.ts'
import { volumesInUse } from './plan-backup.ts'

/**
 * The Compose file with its volumes called what they are called on this host, those of the keys in `fresh` by names
 * that are free. A restore fills a new volume beside the one that serves, and an Engine cannot rename volumes: from
 * then on the appliance's volume has the new name. Throws `volume-of-place`.
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
      const present = inUse.find(({ key }) => key === volume.key)?.name
      if (fresh.includes(volume.key) && present !== undefined) refusePlace(volume, present)
      const name = fresh.includes(volume.key) ? freeName(usual, taken) : (present ?? usual)
      return name === usual ? volume : { ...volume, name }
    }),
  }
}

/** A volume of a folder, a disk or a share (`device`) is only a name of it: a second one is not empty, and serves already. */
function refusePlace({ driverOptions: { type, device } }: ComposeVolume, name: string): void {
  if (device === undefined || type === 'tmpfs') return
  throw badInput(
    'volume-of-place',
    `The volume ${name} is ${device} (driver_opts of the Compose file), and a new volume beside it would be the same place; nothing was changed. Take the appliance away (\`${commandName()} uninstall --keep-data\`), empty ${device} on the host, then \`${commandName()} install\` or restore.`,
  )
}

function freeName(usual: string, taken: ReadonlySet<string>): string {
  let name = usual
  for (let number = 2; taken.has(name); number++) name = `${usual}.${number}`
  return name
}
