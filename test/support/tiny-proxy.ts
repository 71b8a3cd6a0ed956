import { once } from 'node:events'
import http from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** An http proxy on loopback that knows a few hosts by name, and writes down what it is asked. */
export class TinyProxy {
  /** "CONNECT registry.example:443", "GET http://registry.example/v2/", in order. */
  readonly requests: string[] = []
  readonly #server: http.Server
  readonly #sockets = new Set<Socket>()

  private constructor(hosts: Readonly<Record<string, string>>, login: string | undefined) {
    const mayPass = ({ headers }: http.IncomingMessage): boolean =>
      login === undefined ||
      headers['proxy-authorization'] === `Basic ${Buffer.from(login).toString('base64')}`
    const keep = (socket: Socket): void => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    }
    this.#server = http.createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`)
      const { host, path } = placeOf(new URL(request.url ?? ''), hosts)
      if (!mayPass(request)) return void response.writeHead(407).end()
      const { method, headers } = request
      const onward = http.request({ ...host, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(response)
      })
      request.pipe(onward.on('error', () => response.destroy()))
    })
    this.#server.on('connection', keep)
    this.#server.on('connect', (request: http.IncomingMessage, client: Socket) => {
      this.requests.push(`CONNECT ${request.url}`)
      if (!mayPass(request)) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      const { host } = placeOf(new URL(`http://${request.url}`), hosts)
      const upstream = connect(host, () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
      keep(upstream)
      client.pipe(upstream).pipe(client)
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
    })
  }

  /** `hosts`: "registry.example" → "127.0.0.1:5000"; `login`: "user:password" that it wants. */
  static async start(hosts: Readonly<Record<string, string>>, login?: string): Promise<TinyProxy> {
    const proxy = new TinyProxy(hosts, login)
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    return proxy
  }

  /** "127.0.0.1:40123". */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function placeOf({ hostname, pathname, search }: URL, hosts: Readonly<Record<string, string>>) {
  const [host = '', port] = (hosts[hostname] ?? '127.0.0.1:9').split(':')
  return { host: { host, port: Number(port) }, path: `${pathname}${search}` }
}
