import { createHash } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Digest, digestOf } from '../../src/lib/digest.ts'

/** What a registry does wrong with one request. */
export type RegistryFault =
  | {
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string | Uint8Array
    }
  /** Serves these bytes, with status 200. */
  | { readonly bytes: Uint8Array }
  /** Announces the whole body of the answer, sends that part of it, then cuts the line. */
  | { readonly half: number }
  /** Takes that part of what is uploaded, then cuts the line. */
  | { readonly takes: number }
  /** Does what it is asked, and cuts the line before the answer. */
  | 'lost answer'
  | 'reset'
  /** Never answers. */
  | 'silence'

export interface FakeAccount {
  readonly username: string
  readonly password: string
  /** Basic credentials on each request, or a token for them from a service of its own. */
  readonly by: 'basic' | 'token'
}

interface Stored {
  readonly type: string
  readonly bytes: Buffer
}

/** A registry on loopback that keeps all in memory, misbehaves when told, and writes down what it is asked. */
export class FakeRegistry {
  /** "HEAD acme/wan/manifests/1.0", in order; IDs of uploads are "*". */
  readonly requests: string[] = []
  /** "acme/wan" → digest → bytes. */
  readonly blobs = new Map<string, Map<string, Buffer>>()
  /** "acme/wan" → tag or digest → manifest. */
  readonly manifests = new Map<string, Map<string, Stored>>()
  /** Scopes that tokens were asked for. */
  readonly scopes: string[][] = []
  /** The `authorization` of each request. */
  readonly logins: (string | undefined)[] = []
  /** From which byte blobs were asked for, where not from the first. */
  readonly resumed: number[] = []
  account: FakeAccount | undefined
  /** A repository that its token service gives no token for, whatever else is asked for with it. */
  closed: string | undefined
  /** Whether it lists referrers by itself. */
  referrers = false
  /** Whether a tag names for ever what it named first. */
  immutable = false
  /** Whether it says the digests of manifests by SHA-512. */
  saysSha512 = false
  /** What it answers to every HEAD; absent: as it should. */
  heads: number | undefined
  /** Whether whoever asks may read its other repositories. */
  lends = true
  readonly #uploads = new Map<string, Buffer>()
  #wrong: { pattern: RegExp; faults: RegistryFault[] }[] = []
  #tokens = 0
  #begun = 0
  readonly #server: http.Server
  readonly #sockets = new Set<Socket>()

  private constructor() {
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry()
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  /** "127.0.0.1:40123". */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The next requests that match ("PUT .*manifests") are answered so, one after the other. */
  misbehave(pattern: RegExp, ...faults: RegistryFault[]): void {
    this.#wrong.push({ pattern, faults })
  }

  /** Tokens given so far are worth nothing any more. */
  expireTokens(): void {
    this.#tokens += 1000
  }

  /** What a repository has under a tag or digest, as JSON. */
  manifest(repository: string, version: string): unknown {
    const stored = this.manifests.get(repository)?.get(version)
    return stored && JSON.parse(stored.bytes.toString())
  }

  put(repository: string, bytes: Buffer, tag?: string, type = 'application/vnd.oci.image.manifest.v1+json') {
    const kept = this.manifests.get(repository) ?? new Map<string, Stored>()
    this.manifests.set(repository, kept)
    for (const version of [digestOf(bytes), ...(tag ? [tag] : [])]) kept.set(version, { type, bytes })
    return digestOf(bytes)
  }

  putBlob(repository: string, bytes: Buffer): Digest {
    const kept = this.blobs.get(repository) ?? new Map<string, Buffer>()
    this.blobs.set(repository, kept.set(digestOf(bytes), bytes))
    return digestOf(bytes)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', `http://${this.host}`)
    if (url.pathname === '/token') return void this.#giveToken(request, response, url)
    const { method = '' } = request
    const path = decodeURIComponent(url.pathname.replace(/^\/v2\//, ''))
    const what = `${method} ${path.replace(/uploads\/\d+$/, 'uploads/*')}`
    this.requests.push(what)
    this.logins.push(request.headers.authorization)
    const wrong = this.#wrong.find(({ pattern, faults }) => faults.length > 0 && pattern.test(what))
    const fault = wrong?.faults.shift()
    if (fault === 'reset') return void request.socket.destroy()
    if (fault === 'silence') return
    if (fault && typeof fault === 'object' && 'status' in fault) {
      request.resume()
      return void response.writeHead(fault.status, fault.headers).end(fault.body ?? '')
    }
    if (fault && typeof fault === 'object' && 'bytes' in fault) {
      return void response.writeHead(200, { 'content-length': fault.bytes.length }).end(fault.bytes)
    }
    if (!this.#mayPass(request)) {
      request.resume()
      return void response.writeHead(401, { 'www-authenticate': this.#challenge() }).end()
    }
    if (method === 'HEAD' && this.heads !== undefined) return void response.writeHead(this.heads).end()
    const cut = fault && typeof fault === 'object' && 'takes' in fault ? fault.takes : undefined
    const body = await this.#readBody(request, url, cut)
    if (fault === 'lost answer') response.end = () => request.socket.destroy() as never
    const half = fault && typeof fault === 'object' && 'half' in fault ? fault.half : undefined
    this.#serve({ method, path, url, body, request, response, half })
  }

  async #readBody(request: http.IncomingMessage, url: URL, takes: number | undefined): Promise<Buffer> {
    if (takes === undefined) return Buffer.concat(await request.toArray())
    const wanted = Math.floor(Number(request.headers['content-length']) * takes)
    let got = Buffer.alloc(0)
    for await (const chunk of request) {
      got = Buffer.concat([got, chunk as Buffer])
      if (got.length >= wanted) break
    }
    const id = url.pathname.split('/').at(-1)!
    const before = this.#uploads.get(id)
    if (before) this.#uploads.set(id, Buffer.concat([before, got.subarray(0, wanted)]))
    request.socket.destroy()
    throw new Error('cut')
  }

  #challenge(): string {
    if (this.account?.by === 'basic') return 'Basic realm="fake"'
    return `Bearer realm="http://${this.host}/token",service="fake",scope="repository:asked:pull"`
  }

  #mayPass({ headers: { authorization } }: http.IncomingMessage): boolean {
    if (!this.account) return true
    if (this.account.by === 'token') return authorization === `Bearer token${this.#tokens}`
    return authorization === this.#basic()
  }

  #basic(): string {
    const { username, password } = this.account!
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }

  #giveToken(request: http.IncomingMessage, response: http.ServerResponse, url: URL): void {
    this.requests.push(`${request.method} token`)
    this.scopes.push(url.searchParams.getAll('scope'))
    if (request.headers.authorization !== this.#basic()) return void response.writeHead(401).end()
    const isClosed = (scope: string): boolean => scope.startsWith(`repository:${this.closed}:`)
    if (url.searchParams.getAll('scope').some(isClosed)) return void response.writeHead(403).end()
    this.#tokens++
    response.writeHead(200).end(JSON.stringify({ token: `token${this.#tokens}` }))
  }

  #serve(asked: Asked): void {
    const { method, path, response } = asked
    const [, repository = '', kind, rest = ''] =
      /^(.+)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(path) ?? []
    if (kind === 'manifests') return void this.#serveManifest(asked, repository, rest)
    if (kind === 'blobs/uploads') return void this.#serveUpload(asked, repository, rest)
    const blob = this.blobs.get(repository)?.get(rest)
    if (!blob) return void notFound(response)
    const from = Number(/^bytes=(\d+)-$/.exec(asked.request.headers.range ?? '')?.[1] ?? 0)
    if (from > 0) this.resumed.push(from)
    const bytes = blob.subarray(from)
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length })
    if (asked.half === undefined) return void response.end(method === 'HEAD' ? undefined : bytes)
    response.write(bytes.subarray(0, Math.floor(bytes.length * asked.half)), () => response.socket?.destroy())
  }

  #serveManifest({ method, request, response, body }: Asked, repository: string, version: string): void {
    if (method === 'PUT') {
      const named = this.manifests.get(repository)?.get(version)
      if (this.immutable && named && !named.bytes.equals(body)) return void response.writeHead(400).end()
      const digest = this.put(repository, body, version, request.headers['content-type'])
      const subject = (JSON.parse(body.toString()) as { subject?: { digest: string } }).subject
      const headers = this.referrers && subject ? { 'oci-subject': subject.digest } : {}
      return void response
        .writeHead(201, { 'docker-content-digest': this.#said(digest, body), ...headers })
        .end()
    }
    const stored = this.manifests.get(repository)?.get(version)
    if (!stored) return void notFound(response)
    const headers = { 'content-type': stored.type, 'content-length': stored.bytes.length }
    response.writeHead(200, {
      ...headers,
      'docker-content-digest': this.#said(digestOf(stored.bytes), stored.bytes),
    })
    response.end(method === 'HEAD' ? undefined : stored.bytes)
  }

  #said(digest: Digest, bytes: Buffer): string {
    return this.saysSha512 ? `sha512:${createHash('sha512').update(bytes).digest('hex')}` : digest
  }

  #serveUpload({ method, url, request, response, body }: Asked, repository: string, id: string): void {
    const at = (place: string): string => `/v2/${repository}/blobs/uploads/${place}`
    if (method === 'POST') {
      if (!this.lends && url.searchParams.has('from')) return void response.writeHead(401).end()
      const lent = this.blobs
        .get(url.searchParams.get('from') ?? '')
        ?.get(url.searchParams.get('mount') ?? '')
      if (lent) {
        this.putBlob(repository, lent)
        return void response.writeHead(201).end()
      }
      const place = String(++this.#begun)
      this.#uploads.set(place, Buffer.alloc(0))
      return void response.writeHead(202, { location: at(place) }).end()
    }
    const before = this.#uploads.get(id)
    if (!before) return void notFound(response)
    const range = { location: at(id), range: `0-${Math.max(before.length - 1, 0)}` }
    if (method === 'GET') return void response.writeHead(204, range).end()
    const start = Number(/^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? before.length)
    if (start !== before.length) return void response.writeHead(416, range).end()
    const all = Buffer.concat([before, body])
    this.#uploads.set(id, all)
    if (method === 'PATCH') return void response.writeHead(202, { location: at(id) }).end()
    this.#uploads.delete(id)
    if (digestOf(all) !== url.searchParams.get('digest')) {
      const errors = [{ code: 'DIGEST_INVALID', message: 'provided digest did not match uploaded content' }]
      return void response.writeHead(400).end(JSON.stringify({ errors }))
    }
    this.putBlob(repository, all)
    response.writeHead(201).end()
  }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly url: URL
  readonly body: Buffer
  readonly request: http.IncomingMessage
  readonly response: http.ServerResponse
  readonly half: number | undefined
}

function notFound(response: http.ServerResponse): void {
  response.writeHead(404).end(JSON.stringify({ errors: [{ code: 'NAME_UNKNOWN', message: 'not known' }] }))
}
