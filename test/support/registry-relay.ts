import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** Stands before a registry on loopback, sees what it is asked, and holds large answers up. */
export class RegistryRelay {
  /** Bytes of one answer that pass; what is more waits for ever. */
  hold = Number.POSITIVE_INFINITY
  readonly #server: http.Server
  #asked: string[] = []

  private constructor(target: string) {
    const [host, port] = target.split(':')
    this.#server = http.createServer((request, response) => {
      const { method, url = '', headers } = request
      this.#asked.push([method, url, headers.range].filter(Boolean).join(' '))
      const upstream = http.request({ host, port, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        this.#pass(answer, response)
      })
      response.on('close', () => upstream.destroy())
      request.pipe(upstream.on('error', () => response.destroy()))
    })
  }

  /** `target`: "127.0.0.1:5000". */
  static async start(target: string): Promise<RegistryRelay> {
    const relay = new RegistryRelay(target)
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening')
    return relay
  }

  /** "127.0.0.1:40123". */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What was asked since the last call: "GET /v2/acme/wan/blobs/sha256:… bytes=100-", in order. */
  takeRequests(): string[] {
    return this.#asked.splice(0)
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #pass(answer: http.IncomingMessage, response: http.ServerResponse): void {
    let left = this.hold
    answer.on('error', () => response.destroy())
    answer.on('data', (chunk: Buffer) => {
      if (chunk.length <= left) response.write(chunk)
      else {
        response.write(chunk.subarray(0, left))
        answer.pause()
      }
      left -= chunk.length
    })
    answer.on('end', () => response.end())
  }
}
