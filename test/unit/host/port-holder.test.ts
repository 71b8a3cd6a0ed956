import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { findPortContainer, findPortHolder, isHeld, listeningInodes } from '../../../src/host/port-holder.ts'

const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 15001 1 0 100 0 0 10 0
   1: 0100007F:0035 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 15002 1 0 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 15003 1 0 100 0 0 10 0
`
const udpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  88: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 15010 2 0 0
`

describe('who holds a port', () => {
  it('TCP sockets count only where they listen, UDP ones where they have no peer', () => {
    expect([
      listeningInodes(tcpTable, 53, 'tcp'),
      listeningInodes(udpTable, 53, 'udp'),
      listeningInodes(tcpTable, 3128, 'tcp'),
    ]).toEqual([['15001'], ['15010'], []])
  })

  it('what may not be bound is told by the tables: one address is in the way of all, and all of each', () => {
    const mapped = '   0: 0000000000000000FFFF00000700007F:0035 00000000000000000000000000000000:0000 0A'
    const all = '   0: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 0A'
    expect([
      ...['', '0.0.0.0', '127.0.0.53', '192.0.2.7'].map((ip) => isHeld(tcpTable, ip, 53, 'tcp')),
      isHeld(udpTable, '', 53, 'udp'),
      isHeld(all, '192.0.2.7', 53, 'tcp'),
      isHeld(tcpTable, '', 3128, 'tcp'),
      ...['127.0.0.7', '127.0.0.8', '::1', '::'].map((ip) => isHeld(mapped, ip, 53, 'tcp')),
    ]).toEqual([true, true, true, false, true, true, false, true, false, false, true])
  })

  it('a container counts that is in the network of its host, runs, and says that it listens on the port', async () => {
    const ports = { ExposedPorts: { '53/udp': {} } }
    const documents: Record<string, unknown> = {
      bridged: { Name: '/bridged', HostConfig: { NetworkMode: 'bridge' }, Config: ports },
      silent: { Name: '/silent', HostConfig: { NetworkMode: 'host' }, Config: {} },
      stopped: { Name: '/stopped', HostConfig: { NetworkMode: 'host' }, Config: ports },
      pihole: { Name: '/pihole', HostConfig: { NetworkMode: 'host' }, Config: ports },
    }
    const states = Object.keys({ ...documents, goneMeanwhile: 0 }).map((id) => ({
      id,
      state: id === 'stopped' ? 'exited' : 'running',
    }))
    const containers = { list: async () => states, inspect: async (id: string) => documents[id] }
    const engine = { containers } as unknown as Engine
    expect([await findPortContainer(engine, 53, 'udp'), await findPortContainer(engine, 53, 'tcp')]).toEqual([
      'pihole',
      undefined,
    ])
  })

  it('on Linux it is found in /proc, elsewhere nothing is', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const held = await findPortHolder(port, 'tcp')
    server.close()
    await once(server, 'close')
    const found = { port, protocol: 'tcp', process: { pid: process.pid, name: expect.any(String) } }
    expect(held).toEqual(process.platform === 'linux' ? found : undefined)
    expect(await findPortHolder(port, 'tcp')).toBeUndefined()
  })
})
