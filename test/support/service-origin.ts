import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeQuery, encodeAnswer } from '../../src/cli/demo/dns-message.ts'

/** A web server and a name server on all addresses, so that containers reach them; both count what they are asked. */
export interface ServiceOrigin {
  readonly httpPort: number
  readonly dnsPort: number
  readonly body: Buffer
  readonly asked: { objects: number; names: number }
  close(): void
}

/** Serves one cacheable object of `size` bytes under every path, and `address` for every name. */
export async function openServiceOrigin(size: number, address: string): Promise<ServiceOrigin> {
  const body = randomBytes(size)
  const asked = { objects: 0, names: 0 }
  const web = createServer((_, response) => {
    asked.objects++
    response.writeHead(200, { 'content-length': size, 'cache-control': 'public, max-age=3600' }).end(body)
  })
  const names = createSocket('udp4', (message, client) => {
    const question = decodeQuery(message)
    if (!question) return
    asked.names++
    names.send(encodeAnswer(question, address, 3600), client.port, client.address)
  })
  web.listen(0, '0.0.0.0')
  names.bind(0, '0.0.0.0')
  await Promise.all([once(web, 'listening'), once(names, 'listening')])
  return {
    httpPort: (web.address() as AddressInfo).port,
    dnsPort: names.address().port,
    body,
    asked,
    close: () => {
      web.close()
      web.closeAllConnections()
      names.close()
    },
  }
}
