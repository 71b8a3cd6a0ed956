import { planMemory, planReload } from './plan-memory.ts'
import type { ContainerStatus, HostContainer, HostState } from './state.ts'
import type { Step } from './step.ts'
import type { HostTarget, TargetContainer } from './target.ts'

/** What one service needs, in the phases of the whole plan. */
export interface ServicePlan {
  readonly service: string
  /** Changes in place of a container that stays. */
  readonly adjust: readonly Step[]
  readonly create: readonly Step[]
  readonly stop: readonly ContainerStop[]
  readonly start: readonly Step[]
  readonly wait: readonly Step[]
  readonly remove: readonly Step[]
  readonly rename: readonly Step[]
  readonly reload: readonly Step[]
}

export interface ContainerStop {
  readonly container: HostContainer
  readonly step: Step
}

/**
 * Plans one service. A container that is already right is kept, also one that an interrupted run left under a
 * temporary name; otherwise a new one is made beside what is there.
 */
export function planService(wanted: TargetContainer, current: HostState, target: HostTarget): ServicePlan {
  const { service } = wanted
  const mine = current.containers.filter((one) => one.service === service)
  const faults = new Map(mine.map((one) => [one, faultOf(one, wanted, current, target)]))
  const kept = best(
    mine.filter((one) => faults.get(one) === undefined),
    wanted.name,
  )
  const others = mine.filter((one) => one !== kept)
  const name =
    kept?.name ?? freeName(wanted.name, [...mine.map((one) => one.name), ...current.foreign.containers])
  const why = kept ? wakeReason(kept) : createReason(others, faults)
  const step = { service, name }
  const stopped = [...others, ...(kept && why ? [kept] : [])].filter((one) => isUp(one.status))
  const adjust = kept ? planMemory(kept, wanted.limit, false, why ? undefined : current.name) : []
  const mustWait = why !== undefined || kept?.health === 'starting'
  return {
    service,
    adjust,
    create: kept
      ? []
      : [
          {
            ...step,
            action: 'create-container',
            spec: wanted.spec,
            imageIds: target.image?.ids ?? [],
            reason: why!,
          },
        ],
    stop: stopped.map((container) => {
      const reason = container === kept ? why! : (faults.get(container) ?? 'there is another one')
      return { container, step: stopContainer(container, reason) }
    }),
    start: why ? [{ ...step, action: 'start-container', reason: why }] : [],
    wait: mustWait
      ? [
          {
            ...step,
            action: 'wait-healthy',
            hasHealthCheck: wanted.hasHealthCheck,
            patience: wanted.patience,
            reason: why ?? 'it has only just started',
          },
        ]
      : [],
    remove: others.map((one) => ({
      action: 'remove-container',
      service,
      name: one.name,
      reason: faults.get(one) ?? 'there is another one',
    })),
    rename:
      name === wanted.name
        ? []
        : [{ ...step, action: 'rename-container', to: wanted.name, reason: 'it takes over the name' }],
    // What has only just started has read its limits.
    reload:
      kept && !why && adjust.length > 0
        ? planReload({ ...kept, name: wanted.name }, 'its memory changes', current.name)
        : [],
  }
}

/** Ends a container: at once where nothing that its service keeps is lost by that. */
export function stopContainer({ service, name, crashSafe }: HostContainer, reason: string): Step {
  return { action: 'stop-container', service, name, ...(crashSafe && { atOnce: true }), reason }
}

/** Why a container cannot be the wanted one, in words; undefined where it can. */
function faultOf(
  one: HostContainer,
  wanted: TargetContainer,
  current: HostState,
  target: HostTarget,
): string | undefined {
  const { product = target.product } = one
  if (product !== target.product && one.hash !== wanted.hash) return `product ${product} → ${target.product}`
  if (one.release !== target.release && one.hash !== wanted.hash)
    return `release ${one.release} → ${target.release}`
  if (!target.image?.ids.includes(one.imageId)) return 'another image'
  if (one.hash !== wanted.hash) return 'its settings changed'
  for (const name of wanted.networks) {
    const network = current.networks.find((other) => other.name === name)
    const ours = target.networks.some((other) => other.name === name)
    if (ours && !network) return `the network ${name} is gone`
    const attached = one.networks[name]
    if (attached === undefined) return `it is not on the network ${name}`
    if (network && attached !== '' && attached !== network.id) return `the network ${name} was made anew`
  }
  if (one.limit && !wanted.limit) return 'its memory limit goes'
  for (const name of wanted.volumes) {
    if (!current.volumes.some((volume) => volume.name === name)) return `the volume ${name} is gone`
  }
  if (one.status === 'paused' || one.status === 'dead' || one.status === 'removing')
    return `it is ${one.status}`
  return undefined
}

/** Of several right ones, that which serves, then that which has the name. */
function best(candidates: readonly HostContainer[], name: string): HostContainer | undefined {
  const rank = (one: HostContainer): number =>
    (one.status === 'running' ? 4 : 0) + (one.health === 'healthy' ? 2 : 0) + (one.name === name ? 1 : 0)
  return [...candidates].sort((a, b) => rank(b) - rank(a))[0]
}

/** Why a right container must be started or restarted. */
function wakeReason(one: HostContainer): string | undefined {
  if (one.status === 'created') return 'it was never started'
  if (one.status === 'exited') return 'it is stopped'
  if (one.status === 'restarting') return 'it restarts again and again'
  return one.health === 'unhealthy' ? 'it is unhealthy' : undefined
}

function createReason(
  others: readonly HostContainer[],
  faults: Map<HostContainer, string | undefined>,
): string {
  const serving = others.find((one) => isUp(one.status)) ?? others[0]
  return serving ? (faults.get(serving) ?? 'it changed') : 'not on this host'
}

/** The final name where it is free; beside an old container a temporary one. */
function freeName(name: string, names: readonly string[]): string {
  const taken = new Set(names)
  for (
    let number = 1, candidate = name;
    ;
    number++, candidate = `${name}.next${number > 2 ? number - 1 : ''}`
  ) {
    if (!taken.has(candidate)) return candidate
  }
}

function isUp(status: ContainerStatus): boolean {
  return status === 'running' || status === 'restarting' || status === 'paused'
}
