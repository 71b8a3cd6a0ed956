import { describe, expect, it } from 'vitest'
import { choosePorts, type PortWatch } from '../../../../src/cli/demo/free-ports.ts'
import type { Profile } from '../../../../src/definition/profile.ts'
import type { HostContainer, HostPort, HostState } from '../../../../src/host/state.ts'

const profile: Profile = {
  name: 'branch',
  description: '',
  services: { dns: { port: '53' }, optimiser: { port: '3128' } },
}

function host(foreign: HostState['foreign']['ports'] = [], containers: HostContainer[] = []): HostState {
  return { containers, foreign: { ports: foreign } } as unknown as HostState
}

function watch(...busy: number[]): PortWatch {
  return {
    taken: async (ports: readonly HostPort[]) => ports.filter(({ port }) => busy.includes(port)),
    holder: async (port, protocol) => ({ port, protocol, process: { pid: 412, name: 'systemd-resolve' } }),
  }
}

async function choose(current: HostState, ports: PortWatch): Promise<{ set: string[]; said: string[] }> {
  const said: string[] = []
  return { set: await choosePorts(profile, current, (line) => said.push(line), ports), said }
}

describe('the demo’s ports', () => {
  it('are the profile’s where they are free', async () => {
    expect(await choose(host(), watch())).toEqual({ set: [], said: [] })
  })

  it('move where a program or a container holds one, and it is said who', async () => {
    const squid = { ip: '0.0.0.0', port: 3128, protocol: 'tcp', holder: 'container squid' }
    expect(await choose(host([squid]), watch(53, 1053))).toEqual({
      set: ['dns.port=10053', 'optimiser.port=13128'],
      said: [
        'Port 53/udp is held by systemd-resolve (process 412), Port 1053/udp is held by systemd-resolve (process 412): for this demo dns gets port 10053.',
        'Port 3128/tcp is held by container squid: for this demo optimiser gets port 13128.',
      ],
    })
  })

  it('of an installed appliance stay as they are', async () => {
    const installed = (service: string, port: number) =>
      ({ service, status: 'running', ports: [{ ip: '', port, protocol: 'tcp' }] }) as unknown as HostContainer
    const current = host([], [installed('dns', 1053), installed('optimiser', 3128)])
    expect(await choose(current, watch(53, 1053, 3128))).toEqual({ set: ['dns.port=1053'], said: [] })
  })

  it('that are all held are an error that names each holder', async () => {
    await expect(choose(host(), watch(53, 1053, 10053, 20053))).rejects.toThrow(
      /^No port is free for dns: Port 53\/udp is held by systemd-resolve \(process 412\), .*; stop one of them, then run the command again\.$/,
    )
  })
})
