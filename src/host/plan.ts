import { overlap, refuseConflicts, refuseGuests, refuseVolumeGuests } from './conflicts.ts'
import { hostPorts } from './inspect.ts'
import { type ContainerStop, planService, type ServicePlan, stopContainer } from './plan-service.ts'
import type { HostContainer, HostState } from './state.ts'
import type { Step } from './step.ts'
import type { HostTarget, TargetNetwork } from './target.ts'

/**
 * The steps from what a host holds to what it should hold, none where they agree. Everything new is made before
 * anything serving is stopped; what is replaced goes only after its successor is healthy. Pure. Throws, before any
 * step, where a stranger's name or port is in the way (see `refuseConflicts`).
 */
export function planHost(current: HostState, target: HostTarget): Step[] {
  refuseConflicts(current, target)
  const replaced = replacedNetworks(current, target)
  refuseGuests([...replaced, ...unwantedNetworks(current, target)], target.name)
  refuseVolumeGuests(unwantedVolumes(current, target), target.name)
  const stranded = current.containers.filter((one) =>
    replaced.some((network) => network.name in one.networks),
  )
  const rest = { ...current, containers: current.containers.filter((one) => !stranded.includes(one)) }
  const services = target.containers.map((wanted) => planService(wanted, rest, target))
  const obsolete = rest.containers.filter(
    (one) => !target.containers.some((wanted) => wanted.service === one.service),
  )
  const unwanted = target.containers.length > 0 ? 'the release has no such service' : 'no longer wanted'
  return [
    ...planImage(current, target),
    ...removeFirst(stranded, 'its network changes'),
    ...replaced.map((network): Step => removeNetwork(network, 'its settings changed')),
    ...createNetworks(current, target, replaced),
    ...createVolumes(current, target),
    ...services.flatMap((service) => service.create),
    ...services.flatMap((service) => service.adjust),
    ...obsolete.filter(isUp).map((one) => stopContainer(one, unwanted)),
    ...startInOrder(services, target),
    ...services.flatMap((service) => service.remove),
    ...obsolete.map((one) => remove(one, unwanted)),
    ...services.flatMap((service) => service.rename),
    ...services.flatMap((service) => service.reload),
    ...removeNetworks(current, target),
    ...removeHelpers(current, target),
    ...removeVolumes(current, target),
  ]
}

function planImage(current: HostState, { image }: HostTarget): Step[] {
  if (!image) return []
  const { reference, ids } = image
  const tagged = current.images.find((one) => one.tags.includes(reference))
  if (tagged && ids.includes(tagged.id)) return []
  const loaded = current.images.find((one) => ids.includes(one.id))
  const reason = tagged ? `${reference} is another image here` : 'not on this host'
  if (!loaded) return [{ action: 'load-image', image, reason }]
  const previous = tagged ? { previous: tagged.id } : {}
  return [
    {
      action: 'tag-image',
      id: loaded.id,
      reference,
      ...previous,
      reason: tagged ? reason : 'loaded without its name',
    },
  ]
}

/** Networks that must be made anew; what hangs on them goes first. */
function replacedNetworks(current: HostState, target: HostTarget): HostState['networks'] {
  return current.networks.filter((one) => {
    const wanted = target.networks.find((network) => network.name === one.name)
    return wanted !== undefined && wanted.hash !== one.hash
  })
}

function createNetworks(current: HostState, target: HostTarget, replaced: HostState['networks']): Step[] {
  const kept = current.networks.filter((one) => !replaced.includes(one)).map((one) => one.name)
  const missing = target.networks.filter((network) => !kept.includes(network.name))
  return missing.map(
    (network: TargetNetwork): Step => ({
      action: 'create-network',
      network,
      reason: replaced.some((one) => one.name === network.name) ? 'its settings changed' : 'not on this host',
    }),
  )
}

function createVolumes(current: HostState, target: HostTarget): Step[] {
  return target.volumes
    .filter((volume) => !current.volumes.some((one) => one.name === volume.name))
    .map((volume): Step => ({ action: 'create-volume', volume, reason: 'not on this host' }))
}

/**
 * Each service stops its old container and starts the new one, after what it needs and after whoever holds its ports
 * until now. Waiting is put off until somebody needs the answer, or the end.
 */
function startInOrder(services: readonly ServicePlan[], target: HostTarget): Step[] {
  const steps: Step[] = []
  const waiting = new Map<string, readonly Step[]>()
  let stops = services.flatMap((service) => service.stop)
  const stopIf = (due: (stop: ContainerStop) => boolean): void => {
    steps.push(...stops.filter(due).map(({ step }) => step))
    stops = stops.filter((stop) => !due(stop))
  }
  for (const { service, start, wait } of services) {
    const wanted = target.containers.find((one) => one.service === service)!
    if (start.length > 0) {
      for (const need of wanted.needs.filter((one) => one.healthy)) {
        steps.push(...(waiting.get(need.service) ?? []))
        waiting.delete(need.service)
      }
      const ports = hostPorts(wanted.spec.HostConfig.PortBindings ?? {})
      const holds = (one: HostContainer): boolean =>
        one.ports.some((held) => ports.some((port) => overlap(port, held)))
      stopIf(({ container }) => container.service === service || holds(container))
    } else stopIf(({ container }) => container.service === service)
    steps.push(...start)
    waiting.set(service, wait)
  }
  return [...steps, ...[...waiting.values()].flat()]
}

function removeFirst(containers: readonly HostContainer[], reason: string): Step[] {
  return [
    ...containers.filter(isUp).map((one) => stopContainer(one, reason)),
    ...containers.map((one) => remove(one, reason)),
  ]
}

function unwantedNetworks(current: HostState, target: HostTarget): HostState['networks'] {
  return current.networks.filter((one) => !target.networks.some((network) => network.name === one.name))
}

function removeNetworks(current: HostState, target: HostTarget): Step[] {
  return unwantedNetworks(current, target).map((one) => removeNetwork(one, 'no longer wanted'))
}

/** Where nothing runs any more, nothing is remembered from outside a volume. */
function removeHelpers(current: HostState, target: HostTarget): Step[] {
  if (target.containers.length > 0) return []
  return current.helpers.map((name): Step => ({ action: 'remove-helper', name, reason: 'no longer wanted' }))
}

function removeVolumes(current: HostState, target: HostTarget): Step[] {
  return unwantedVolumes(current, target).map(
    ({ name }): Step => ({ action: 'remove-volume', name, reason: 'no longer wanted' }),
  )
}

function unwantedVolumes({ volumes }: HostState, target: HostTarget): HostState['volumes'] {
  if (target.otherVolumes === 'keep') return []
  return volumes.filter((one) => !target.volumes.some((volume) => volume.name === one.name))
}

function removeNetwork({ name, id }: { name: string; id: string }, reason: string): Step {
  return { action: 'remove-network', name, id, reason }
}

function remove({ service, name }: HostContainer, reason: string): Step {
  return { action: 'remove-container', service, name, reason }
}

function isUp({ status }: HostContainer): boolean {
  return status === 'running' || status === 'restarting' || status === 'paused'
}
