import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { findPortHolder, isHeld, listeningInodes } from '../../../src/host/port-holder.ts'

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
    const all = '   0: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 0A'
    expect([
      ...['', '0.0.0.0', '127.0.0.53', '192.0.2.7'].map((ip) => isHeld(tcpTable, ip, 53, 'tcp')),
      isHeld(udpTable, '', 53, 'udp'),
      isHeld(all, '192.0.2.7', 53, 'tcp'),
      isHeld(tcpTable, '', 3128, 'tcp'),
    ]).toEqual([true, true, true, false, true, true, false])
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
