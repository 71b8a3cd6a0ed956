import type { Profile } from '../../definition/profile.ts'
import { findPortHolder, type PortHolder } from '../../host/port-holder.ts'
import { probePorts } from '../../host/port-probe.ts'
import type { HostPort, HostState } from '../../host/state.ts'
import { SlipwayError } from '../../lib/errors.ts'

/** A service whose port the demo may move, and where to: the reference appliance's two. */
const movable = [
  { service: 'dns', protocols: ['udp', 'tcp'], instead: [1053, 10053, 20053] },
  { service: 'optimiser', protocols: ['tcp'], instead: [13128, 23128, 33128] },
] as const

/** Finds out about ports of this host; a test gives its own. */
export interface PortWatch {
  readonly taken: (ports: readonly HostPort[]) => Promise<HostPort[]>
  readonly holder: (port: number, protocol: 'tcp' | 'udp') => Promise<PortHolder | undefined>
}

export const thisHost: PortWatch = { taken: probePorts, holder: findPortHolder }

/**
 * The `--set` settings that keep the demo out of other programs' ports: what an installed appliance has stays, a port
 * that somebody holds is replaced by a free one, said through `say`. Throws `port-taken` where none is free.
 */
export async function choosePorts(
  profile: Profile,
  current: HostState,
  say: (line: string) => void,
  watch: PortWatch = thisHost,
): Promise<string[]> {
  const settings: string[] = []
  for (const { service, protocols, instead } of movable) {
    const wanted = Number(profile.services[service]?.port)
    if (!wanted) continue
    const installed = current.containers.find((one) => one.service === service && one.status === 'running')
    const port =
      installed?.ports[0]?.port ??
      (await findFree(service, [wanted, ...instead], protocols, current, say, watch))
    if (port !== wanted) settings.push(`${service}.port=${port}`)
  }
  return settings
}

async function findFree(
  service: string,
  candidates: readonly number[],
  protocols: readonly ('tcp' | 'udp')[],
  current: HostState,
  say: (line: string) => void,
  watch: PortWatch,
): Promise<number> {
  const held: string[] = []
  for (const port of candidates) {
    const wanted = protocols.map((protocol) => ({ ip: '', port, protocol }))
    const container = current.foreign.ports.find((other) => wanted.some((one) => isSame(one, other)))
    const [taken] = container ? [container] : await watch.taken(wanted)
    if (!taken) {
      if (held.length > 0) say(`${held.join(', ')}: for this demo ${service} gets port ${port}.`)
      return port
    }
    held.push(container ? describePort(port, container) : await describeTaken(taken, watch))
  }
  throw new SlipwayError(
    'port-taken',
    `No port is free for ${service}: ${held.join(', ')}; stop one of them, then run the command again.`,
  )
}

function isSame(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol
}

function describePort(port: number, { protocol, holder }: { protocol: string; holder: string }): string {
  return `Port ${port}/${protocol} is held by ${holder}`
}

async function describeTaken({ port, protocol: name }: HostPort, watch: PortWatch): Promise<string> {
  const protocol = name === 'udp' ? 'udp' : 'tcp'
  const { process } = (await watch.holder(port, protocol)) ?? {}
  return describePort(port, {
    protocol,
    holder: process ? `${process.name} (process ${process.pid})` : 'another program',
  })
}
