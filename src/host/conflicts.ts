import { programName } from '../lib/command-name.ts'
import { badInput, exitCodes, SlipwayError } from '../lib/errors.ts'
import { hostPorts } from './inspect.ts'
import { mutexContainer, stateContainer, stateVolume } from './own-things.ts'
import type { HostNetwork, HostPort, HostState, HostVolume } from './state.ts'
import type { HostTarget } from './target.ts'

/**
 * Refuses a target that strangers on the host stand in the way of: a container, network or volume of the same name
 * without our label, a port in use. Throws `name-taken`, `port-taken`, `volume-differs`.
 */
export function refuseConflicts(current: HostState, target: HostTarget): void {
  const { name } = target
  const own =
    target.containers.length > 0
      ? { containers: [stateContainer(name), mutexContainer(name)], volumes: [stateVolume(name).name] }
      : { containers: [], volumes: [] }
  const reserved = target.volumes.find((volume) => own.volumes.includes(volume.name))
  if (reserved) {
    throw badInput(
      'reserved-name',
      `The Compose file's volume ${reserved.name} has the name of the one in which ${programName()} keeps settings and history; give it another key or name.`,
    )
  }
  const taken = [
    ...shared(
      'container',
      [...target.containers.map(({ name }) => name), ...own.containers],
      current.foreign.containers,
    ),
    ...shared(
      'network',
      target.networks.map(({ name }) => name),
      current.foreign.networks,
    ),
    ...shared('volume', [...target.volumes.map(({ name }) => name), ...own.volumes], current.foreign.volumes),
  ]
  if (taken.length > 0) {
    throw new SlipwayError(
      'name-taken',
      `${taken.join(', ')} ${taken.length > 1 ? 'exist' : 'exists'} on this host and ${taken.length > 1 ? 'are' : 'is'} not of the appliance ${target.name}; remove or rename ${taken.length > 1 ? 'them' : 'it'}, or choose another --name.`,
      { exitCode: exitCodes.preflightFailed },
    )
  }
  refuseTakenPorts(current, target)
  refuseChangedVolumes(current, target)
}

/** Refuses to take away networks that containers of others are on: the Engine would, after what serves is gone. */
export function refuseGuests(networks: readonly HostNetwork[], name: string): void {
  const network = networks.find(({ guests = [] }) => guests.length > 0)
  if (!network) return
  const [guest] = network.guests!
  throw new SlipwayError(
    'network-in-use',
    `The container ${guest} is not of the appliance ${name} and is on its network ${network.name}, which is to go; \`docker network disconnect ${network.name} ${guest}\`, then run the same command again.`,
    { exitCode: exitCodes.preflightFailed },
  )
}

/** Refuses to take away volumes that containers of others mount: the Engine would, after what serves is gone. */
export function refuseVolumeGuests(volumes: readonly HostVolume[], name: string): void {
  const volume = volumes.find(({ guests = [] }) => guests.length > 0)
  if (!volume) return
  const [guest] = volume.guests!
  throw new SlipwayError(
    'volume-in-use',
    `The container ${guest} is not of the appliance ${name} and mounts its volume ${volume.name}, which is to go; remove that container (\`docker rm --force ${guest}\`) when nobody needs it, then run the same command again.`,
    { exitCode: exitCodes.preflightFailed },
  )
}

/** The host ports of a target that no container of the appliance holds already: those must be free. */
export function newPorts(current: HostState, target: HostTarget): HostPort[] {
  const held = current.containers.filter(({ status }) => holding.has(status)).flatMap((one) => one.ports)
  return targetPorts(target).filter((port) => !held.some((other) => overlap(port, other)))
}

/** A paused container keeps its ports, and one that restarts again and again has them every other moment. */
const holding: ReadonlySet<string> = new Set(['running', 'paused', 'restarting'])

function targetPorts(target: HostTarget): HostPort[] {
  return target.containers.flatMap(({ spec }) => hostPorts(spec.HostConfig.PortBindings ?? {}))
}

function refuseTakenPorts(current: HostState, target: HostTarget): void {
  for (const port of newPorts(current, target)) {
    const holder = current.foreign.ports.find((other) => overlap(port, other))
    if (!holder) continue
    throw new SlipwayError(
      'port-taken',
      `Port ${port.port}/${port.protocol} of this host is in use by ${holder.holder}; stop that, or give the profile another port, then run the same command again.`,
      { exitCode: exitCodes.preflightFailed },
    )
  }
}

function refuseChangedVolumes(current: HostState, target: HostTarget): void {
  for (const volume of target.volumes) {
    const there = current.volumes.find((one) => one.name === volume.name)
    if (!there) continue
    const same = there.driver === volume.driver && sameOptions(there.options, volume.options)
    if (same) continue
    throw badInput(
      'volume-differs',
      `The volume ${volume.name} exists with other driver options than the Compose file gives, and making it anew would lose its data; put the options back, or \`docker volume rm ${volume.name}\` after a backup.`,
    )
  }
}

function sameOptions(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

function shared(kind: string, wanted: readonly string[], taken: readonly string[]): string[] {
  return wanted.filter((name) => taken.includes(name)).map((name) => `the ${kind} ${name}`)
}

/** Whether two bindings of host ports exclude each other. */
export function overlap(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (isAny(a.ip) || isAny(b.ip) || a.ip === b.ip)
}

function isAny(ip: string): boolean {
  return ip === '' || ip === '0.0.0.0' || ip === '::'
}
