import { createHash, randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { request } from 'node:http'
import { commandName } from '../../lib/command-name.ts'
import { SlipwayError } from '../../lib/errors.ts'
import { decodeAnswer, encodeQuery } from './dns-message.ts'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface Lookup {
  readonly milliseconds: number
  readonly addresses: readonly string[]
}

export interface Fetch {
  readonly milliseconds: number
  readonly bytes: number
  /** Hex SHA-256 of the body. */
  readonly sha256: string
  /** What the proxy says of its cache, where it says it ("HIT from …"). */
  readonly cacheHeader?: string
}

const patience = 60_000
const dnsPatience = 5_000

/** Asks `server` for the IPv4 addresses of `name`, once, over UDP. */
export async function lookUp(server: Endpoint, name: string, signal: AbortSignal): Promise<Lookup> {
  signal.throwIfAborted()
  const id = randomInt(0x10000)
  const socket = createSocket('udp4')
  const started = performance.now()
  try {
    return await new Promise<Lookup>((resolve, reject) => {
      const silence = setTimeout(() => {
        reject(
          new SlipwayError(
            'no-dns-answer',
            `${server.address}:${server.port} did not answer for ${name} in ${dnsPatience / 1000} s; see what the service says: ${commandName()} status.`,
          ),
        )
      }, dnsPatience)
      socket.on('close', () => clearTimeout(silence))
      const abort = (): void => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      socket.on('close', () => signal.removeEventListener('abort', abort))
      socket.on('error', reject)
      socket.on('message', (message) => {
        const answer = decodeAnswer(message)
        if (answer?.id !== id) return
        if (answer.responseCode !== 0 || answer.addresses.length === 0)
          reject(
            new SlipwayError(
              'name-refused',
              `${server.address}:${server.port} answered code ${answer.responseCode} and ${answer.addresses.length} addresses for ${name}.`,
            ),
          )
        resolve({ milliseconds: performance.now() - started, addresses: answer.addresses })
      })
      socket.send(encodeQuery(id, name), server.port, server.address)
    })
  } finally {
    socket.close()
  }
}

/** GETs `url` over a new connection, through `proxy` where one is given; throws on any status but 200. */
export function fetchObject(url: URL, proxy: Endpoint | undefined, signal: AbortSignal): Promise<Fetch> {
  const started = performance.now()
  const to = proxy
    ? { host: proxy.address, port: proxy.port, path: url.href }
    : { host: url.hostname, port: url.port, path: url.pathname }
  return new Promise((resolve, reject) => {
    const get = request({ ...to, agent: false, timeout: patience, signal, headers: { host: url.host } })
    get.on('error', (error) => reject(signal.aborted ? signal.reason : error))
    get.on('timeout', () => get.destroy(new Error(`Nothing came from ${url.href} for ${patience / 1000} s.`)))
    get.on('response', (response) => {
      if (response.statusCode !== 200) {
        response.resume()
        const by = proxy ? `The proxy at ${proxy.address}:${proxy.port}` : url.host
        return reject(
          new SlipwayError('fetch-refused', `${by} answered ${response.statusCode} for ${url.href}.`),
        )
      }
      const hash = createHash('sha256')
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        hash.update(chunk)
      })
      response.on('error', (error) => reject(signal.aborted ? signal.reason : error))
      response.on('end', () => {
        const header = response.headers['x-cache']
        const cacheHeader = Array.isArray(header) ? header.join(', ') : header
        const milliseconds = performance.now() - started
        const said = cacheHeader === undefined ? {} : { cacheHeader }
        resolve({ milliseconds, bytes, sha256: hash.digest('hex'), ...said })
      })
    })
    get.end()
  })
}
