import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import type { Endpoint } from '../../src/engine/endpoint.ts'

/** A request that changes something on the Engine; `number` counts from 1. */
export interface Change {
  readonly number: number
  /** "POST /containers/create", without the API's version, IDs shortened to "*". */
  readonly what: string
}

/** Called when the Engine has done a change, before the answer goes out; or before the Engine gets it. */
export type Watch = (change: Change) => Promise<void> | void

/**
 * Stands between the command line and an Engine, on a socket of its own, and sees every change that is asked for: so a
 * test can do harm exactly there.
 */
export class EngineRelay {
  /** Since `watch` was called. */
  readonly changes: string[] = []
  readonly env: { readonly DOCKER_HOST: string }
  #before: Watch = () => {}
  #after: Watch = () => {}
  readonly #server: http.Server
  readonly #target: net.NetConnectOpts & { readonly socketPath?: string }

  private constructor(socket: string, endpoint: Pick<Endpoint, 'socketPath' | 'host' | 'port'>) {
    this.env = { DOCKER_HOST: `unix://${socket}` }
    this.#target = (
      endpoint.socketPath
        ? { path: endpoint.socketPath, socketPath: endpoint.socketPath }
        : { host: endpoint.host, port: endpoint.port }
    ) as net.NetConnectOpts
    this.#server = http.createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy())
    })
    this.#server.on('upgrade', (request, client: net.Socket, head) => this.#tunnel(request, client, head))
  }

  static async start(
    folder: string,
    endpoint: Pick<Endpoint, 'socketPath' | 'host' | 'port'>,
  ): Promise<EngineRelay> {
    const socket = path.join(folder, 'engine.sock')
    const relay = new EngineRelay(socket, endpoint)
    // As an Engine: it keeps a connection for as long as its client does.
    relay.#server.keepAliveTimeout = 0
    relay.#server.listen(socket)
    await once(relay.#server, 'listening')
    return relay
  }

  /** Forgets what was seen, and calls these from now on. */
  watch(hooks: { readonly before?: Watch; readonly after?: Watch } = {}): void {
    this.changes.length = 0
    this.#before = hooks.before ?? (() => {})
    this.#after = hooks.after ?? (() => {})
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #pass(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const change = this.#note(request)
    if (change) await this.#before(change)
    const { method, url } = request
    // An Engine that may close after its answer breaks whatever is still being written, and the answer is lost.
    const headers = { ...request.headers, connection: 'keep-alive' }
    const options = { ...this.#target, method, path: url, headers, agent: false } as http.RequestOptions
    const upstream = http.request(options)
    request.on('error', () => upstream.destroy())
    response.on('close', () => upstream.destroy())
    request.pipe(upstream)
    const answered = once(upstream, 'response')
    const [answer] = (await answered) as [http.IncomingMessage]
    if (!change) {
      response.writeHead(answer.statusCode!, answer.headers)
      // Docker's own command waits for them before it starts what it waits for.
      response.flushHeaders()
      answer.on('error', () => response.destroy())
      answer.pipe(response)
      return
    }
    const body = Buffer.concat(await answer.toArray())
    await this.#after(change)
    response.writeHead(answer.statusCode!, answer.headers).end(body)
  }

  #note({ method = '', url = '' }: http.IncomingMessage): Change | undefined {
    const what = `${method} ${url.replace(/^\/v[\d.]+/, '').replace(/\?.*/, '')}`
    // Asking a container is no change, and neither is waiting for one.
    if (!/^(POST|PUT|DELETE) /.test(what) || /\/exec(\/|$)|\/wait$|\/resize$|\/prune$/.test(what))
      return undefined
    this.changes.push(what.replace(/\/[0-9a-f]{64}/, '/*'))
    return { number: this.changes.length, what: this.changes.at(-1)! }
  }

  /** Attached output changes the protocol in the middle of a connection: bytes go both ways from then on. */
  #tunnel(request: http.IncomingMessage, client: net.Socket, head: Buffer): void {
    const upstream = net.connect(this.#target)
    const lines = [`${request.method} ${request.url} HTTP/1.1`]
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`)
    }
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
    upstream.write(head)
    client.pipe(upstream).pipe(client)
    for (const end of [client, upstream])
      end.on('error', () => [client, upstream].map((one) => one.destroy()))
  }
}
