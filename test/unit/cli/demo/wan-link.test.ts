import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fetchObject, lookUp } from '../../../../src/cli/demo/client.ts'
import { openOrigin } from '../../../../src/cli/demo/origin.ts'
import { openWanLink } from '../../../../src/cli/demo/wan-link.ts'

const speed = { latency: 1, bitsPerSecond: 1e9 }
const { signal } = new AbortController()

describe('the WAN link', () => {
  it('carries names and objects whole, several at once', async () => {
    const origin = await openOrigin(300_000)
    const link = await openWanLink({
      speed,
      address: '127.0.0.1',
      tcpTarget: origin.httpPort,
      udpTarget: origin.dnsPort,
    })
    const url = new URL(`http://127.0.0.1:${link.tcpPort}${origin.path}`)
    const fetches = await Promise.all([1, 2, 3].map(() => fetchObject(url, undefined, signal)))
    const lookup = await lookUp({ address: '127.0.0.1', port: link.udpPort }, origin.name, signal)
    await link.close()
    await origin.close()
    expect(fetches.map(({ bytes, sha256 }) => ({ bytes, sha256 }))).toEqual(
      Array(3).fill({ bytes: 300_000, sha256: origin.sha256 }),
    )
    expect(lookup.addresses).toEqual([origin.address])
  })

  it('carries both directions of a connection, and its half-closed end', async () => {
    const sent = randomBytes(200_000)
    const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket))
    echo.listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const link = await openWanLink({
      speed,
      address: '127.0.0.1',
      tcpTarget: (echo.address() as AddressInfo).port,
      udpTarget: 9,
    })
    const client = connect({ port: link.tcpPort, host: '127.0.0.1', allowHalfOpen: true })
    client.end(sent)
    const received = Buffer.concat(await client.toArray())
    await link.close()
    echo.close()
    expect(received.equals(sent)).toBe(true)
  })

  it('a far end that is not there ends the connection', async () => {
    const link = await openWanLink({ speed, address: '127.0.0.1', tcpTarget: 1, udpTarget: 9 })
    const url = new URL(`http://127.0.0.1:${link.tcpPort}/`)
    await expect(fetchObject(url, undefined, signal)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await link.close()
  })
})
