import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What a mirror does wrong with one request. */
export type Misbehaviour =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Announces the whole length, sends that part of it, then cuts the line. */
  | { readonly half: number }
  /** Sends that part of the file, then nothing, and keeps the line open. */
  | { readonly stall: number }
  | { readonly bytes: Uint8Array }
  /** Takes the request and never answers. */
  | 'silence'
  /** Cuts the line before any answer. */
  | 'reset'
  /** Ignores Range and sends all. */
  | 'no-range'

export interface ServedRequest {
  readonly path: string
  readonly range?: string
}

/** A mirror on loopback that serves a map of files, and misbehaves when told. */
export class ArchiveServer {
  /** Below the root of the mirror. */
  readonly files: Map<string, Uint8Array>
  readonly requests: ServedRequest[] = []
  /** The most requests that were open at one time. */
  mostAtOnce = 0
  /** Milliseconds before each answer. */
  delay = 0
  #open = 0
  readonly #wrong = new Map<string, Misbehaviour[]>()
  readonly #server: http.Server
  readonly #sockets = new Set<Socket>()

  private constructor(files: Map<string, Uint8Array>) {
    this.files = files
    this.#server = http.createServer((request, response) => {
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#open)
      response.on('close', () => this.#open--)
      setTimeout(() => this.#answer(request, response), this.delay)
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(files: Map<string, Uint8Array> = new Map()): Promise<ArchiveServer> {
    const server = new ArchiveServer(files)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  /** The mirror's root, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/debian`
  }

  /** Paths asked for so far, in order. */
  get paths(): string[] {
    return this.requests.map((request) => request.path)
  }

  /** The next requests for `path` ("*": any) are answered so, one after the other; then it behaves again. */
  misbehave(path: string, ...answers: Misbehaviour[]): void {
    this.#wrong.set(path, [...(this.#wrong.get(path) ?? []), ...answers])
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = decodeURIComponent((request.url ?? '').replace(/^(http:\/\/[^/]*)?\/debian\//, ''))
    const range = request.headers.range
    this.requests.push({ path, ...(range === undefined ? {} : { range }) })
    const wrong = this.#wrong.get(path)?.shift() ?? this.#wrong.get('*')?.shift()
    const file = this.files.get(path)

    if (wrong === 'silence') return
    if (wrong === 'reset') {
      request.socket.destroy()
      return
    }
    if (wrong !== undefined && wrong !== 'no-range' && 'status' in wrong) {
      response.writeHead(wrong.status, wrong.headers).end(wrong.body ?? '')
      return
    }
    if (wrong !== undefined && wrong !== 'no-range' && 'bytes' in wrong) {
      response.writeHead(200, { 'content-length': wrong.bytes.length }).end(wrong.bytes)
      return
    }
    if (!file) {
      response.writeHead(404).end('not here')
      return
    }
    const start = wrong === 'no-range' ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
    if (start >= file.length && start > 0) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
      return
    }
    const body = file.subarray(start)
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': body.length,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` } : {}),
    })
    if (wrong === undefined || wrong === 'no-range') {
      response.end(body)
      return
    }
    if ('half' in wrong) {
      response.write(body.subarray(0, Math.floor(body.length * wrong.half)), () => request.socket.destroy())
      return
    }
    response.write(body.subarray(0, Math.floor(body.length * wrong.stall)))
  }
}
