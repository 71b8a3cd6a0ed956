import type { ComposeVolume } from '../definition/compose.ts'
import { refuseVolumeGuests } from './conflicts.ts'
import { ownLabels } from './labels.ts'
import { planHost } from './plan.ts'
import type { HostContainer, HostState, HostVolume } from './state.ts'
import type { Step } from './step.ts'
import { planSettings, type Settings } from './stored-settings.ts'
import type { HostTarget } from './target.ts'

/** From the mildest to the hardest; each does what those before it do. */
export const resetLevels = ['restart', 'clean', 'cache', 'settings', 'factory'] as const
export type ResetLevel = (typeof resetLevels)[number]

export interface Reset {
  readonly level: ResetLevel
  /** Services to reset, in the target's order. */
  readonly services: readonly string[]
  /** Keys of the volumes that are emptied: the target names new ones for them. */
  readonly emptied: readonly string[]
}

/** Whether a level empties a volume. A licence goes only where it is named; what says nothing goes with the last level. */
export function empties(
  level: ResetLevel,
  { holds }: Pick<ComposeVolume, 'holds'>,
  licence: boolean,
): boolean {
  if (holds === 'licence') return level === 'factory' && licence
  if (holds === 'cache') return atLeast(level, 'cache')
  if (holds === 'settings') return atLeast(level, 'settings')
  return level === 'factory'
}

export function atLeast(level: ResetLevel, other: ResetLevel): boolean {
  return resetLevels.indexOf(level) >= resetLevels.indexOf(other)
}

/** The settings that stay: of a single service's reset those of the others, and of the whole appliance. */
export function keptSettings(
  stored: Settings,
  level: ResetLevel,
  services: readonly string[],
  isWhole: boolean,
): Settings {
  if (!atLeast(level, 'settings')) return stored
  if (isWhole) return {}
  const goes = (key: string): boolean => services.some((service) => key.startsWith(`${service}.`))
  return Object.fromEntries(Object.entries(stored).filter(([key]) => !goes(key)))
}

/**
 * The services that a reset must touch: those asked for, and whoever mounts a volume that is emptied. In the target's
 * order.
 */
export function withSharers(
  target: HostTarget,
  services: readonly string[],
  emptied: readonly string[],
): string[] {
  const names = target.volumes
    .filter((volume) => emptied.includes(volume.labels[ownLabels.component] ?? ''))
    .map(({ name }) => name)
  return target.containers
    .filter((one) => services.includes(one.service) || one.volumes.some((name) => names.includes(name)))
    .map(({ service }) => service)
}

/**
 * The steps of a reset, of its services and nothing else: the same plan as an install, of containers that are taken
 * for outdated, on new volumes where those are emptied. What is replaced goes only after its successor is healthy. No
 * container is taken up, also none that was never started: a restore that was cut off may have put files into it. Pure.
 */
export function planReset(
  current: HostState,
  target: HostTarget,
  { level, services, emptied }: Reset,
  settings: { readonly stored: Settings; readonly kept: Settings },
): Step[] {
  refuseVolumeGuests(formerVolumes(current, target, emptied), target.name)
  const why = `reset: ${level}`
  const mine = current.containers
    .filter(({ service }) => services.includes(service))
    .map(
      (one): HostContainer =>
        level === 'restart' ? { ...one, health: 'unhealthy' } : { ...one, hash: outdated },
    )
  const steps = planHost(
    { ...current, containers: mine, networks: ownNetworks(current, target, services) },
    { ...target, containers: target.containers.filter(({ service }) => services.includes(service)) },
  ).map((step) => (reasons.has(step.reason) ? { ...step, reason: why } : step))
  const serving = steps.findLastIndex(({ action }) => action === 'wait-healthy') + 1
  return [
    ...steps.slice(0, serving),
    ...planSettings(current.name, settings.stored, settings.kept),
    ...steps.slice(serving),
    ...removeFormer(current, target, emptied),
  ]
}

/** A network that other services are on is taken for right, or for none of the appliance's: changing it would stop them. */
function ownNetworks(
  { containers, networks }: HostState,
  target: HostTarget,
  services: readonly string[],
): HostState['networks'] {
  const others = containers.filter(({ service }) => !services.includes(service))
  return networks.flatMap((network) => {
    if (!others.some((one) => network.name in one.networks)) return [network]
    const wanted = target.networks.find(({ name }) => name === network.name)
    return wanted ? [{ ...network, hash: wanted.hash }] : []
  })
}

/** No target has this hash. */
const outdated = 'before the reset'

/** What `planHost` says of containers that are only taken for outdated or unwell, and of new volumes. */
const reasons: ReadonlySet<string> = new Set([
  'its settings changed',
  'it is unhealthy',
  'it is stopped',
  'it was never started',
  'not on this host',
])

/** Every volume of an emptied key but the new one: also what an interrupted reset left. */
function removeFormer(current: HostState, target: HostTarget, emptied: readonly string[]): Step[] {
  return formerVolumes(current, target, emptied).map(
    ({ name }): Step => ({ action: 'remove-volume', name, reason: 'emptied' }),
  )
}

/** The volumes that go with their content. */
export function formerVolumes(
  current: HostState,
  target: HostTarget,
  emptied: readonly string[],
): readonly HostVolume[] {
  const kept = target.volumes.map(({ name }) => name)
  return current.volumes.filter(
    ({ name, key }) => key !== undefined && emptied.includes(key) && !kept.includes(name),
  )
}
