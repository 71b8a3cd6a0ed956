import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeQuery, encodeAnswer } from './dns-message.ts'

/** The far end: a web server with one object and a name server with one name, both counting what they are asked. */
export interface Origin {
  readonly httpPort: number
  readonly dnsPort: number
  /** Path of the object, new each time: no cache can know it. */
  readonly path: string
  readonly size: number
  /** Hex SHA-256 of the object. */
  readonly sha256: string
  /** A new name in `zone`, and the address it stands for. */
  readonly name: string
  readonly address: string
  /** Another new name each time, of the same address, that is not counted. */
  readonly readyName: () => string
  readonly objectRequests: () => number
  readonly nameQueries: () => number
  readonly close: () => Promise<void>
}

export const zone = 'wan.example'
/** A documentation address (RFC 5737): nothing is ever sent to it. */
const answeredAddress = '192.0.2.80'
const readySuffix = `.ready.${zone}`
const hour = 3600

/** Starts both servers on the loopback, on ports of the system's choice. */
export async function openOrigin(size: number): Promise<Origin> {
  const body = randomBytes(size)
  const sha256 = createHash('sha256').update(body).digest('hex')
  const label = randomBytes(6).toString('hex')
  const path = `/${label}.bin`
  const name = `${label}.${zone}`
  let objectRequests = 0
  let nameQueries = 0

  const web = createServer((request, response) => {
    if (request.url !== path) return void response.writeHead(404).end()
    objectRequests++
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': size,
      'cache-control': `public, max-age=${hour}`,
      etag: `"${sha256.slice(0, 16)}"`,
      'last-modified': new Date(Date.now() - hour * 1000).toUTCString(),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  const names = createSocket('udp4', (message, client) => {
    const question = decodeQuery(message)
    if (!question) return
    if (question.name === name) nameQueries++
    const known = question.name === name || question.name.endsWith(readySuffix)
    const address = known ? answeredAddress : undefined
    names.send(encodeAnswer(question, address, hour), client.port, client.address)
  })
  web.listen(0, '127.0.0.1')
  names.bind(0, '127.0.0.1')
  await Promise.all([once(web, 'listening'), once(names, 'listening')])

  return {
    httpPort: (web.address() as AddressInfo).port,
    dnsPort: names.address().port,
    path,
    size,
    sha256,
    name,
    address: answeredAddress,
    readyName: () => `${randomBytes(6).toString('hex')}${readySuffix}`,
    objectRequests: () => objectRequests,
    nameQueries: () => nameQueries,
    close: async () => {
      const closed = [once(web, 'close'), once(names, 'close')]
      web.close()
      web.closeAllConnections()
      names.close()
      await Promise.all(closed)
    },
  }
}
