import http from 'node:http'
import https from 'node:https'
import { Failure, failureOf } from './http-failure.ts'
import { proxyFor, requestThrough } from './http-proxy.ts'

/** An answer's head; `body` throws a `Failure` when the line is cut or nothing comes for `stallTimeout`. */
export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: AsyncIterable<Buffer>
  /** Lets go of an answer whose body is not read. */
  discard(): void
}

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Milliseconds until the connection stands. */
  readonly connectTimeout?: number
  /** Milliseconds without a byte. */
  readonly stallTimeout?: number
  /** For http_proxy, https_proxy and no_proxy. */
  readonly env?: NodeJS.ProcessEnv
}

const agents = {
  'http:': new http.Agent({ keepAlive: true, maxSockets: 8 }),
  'https:': new https.Agent({ keepAlive: true, maxSockets: 8 }),
}
const redirects = new Set([301, 302, 303, 307, 308])

/**
 * GETs an http or https address, following up to five redirects. Throws a `Failure`, or the signal's own reason when
 * it is aborted.
 */
export async function get(url: string, options: GetOptions = {}): Promise<Answer> {
  let current = parseUrl(url)
  for (let hops = 0; hops <= 5; hops++) {
    const answer = await getOnce(current, options)
    const location = answer.headers.location
    if (!redirects.has(answer.status) || location === undefined) return answer
    answer.discard()
    const next = parseUrl(location, current)
    if (current.protocol === 'https:' && next.protocol === 'http:') {
      throw new Failure(`it redirects from https to the unprotected ${next.href}`, false)
    }
    current = next
  }
  throw new Failure('it redirects more than five times', false)
}

function parseUrl(url: string, base?: URL): URL {
  let parsed: URL
  try {
    parsed = new URL(url, base)
  } catch (error) {
    throw new Failure(`"${url}" is not an address`, false, { cause: error })
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new Failure(`only http and https can be read here, not "${parsed.protocol}"`, false)
  }
  return parsed
}

async function getOnce(url: URL, options: GetOptions): Promise<Answer> {
  const { signal, connectTimeout = 15_000, stallTimeout = 20_000 } = options
  signal?.throwIfAborted()
  const request = await openRequest(url, options, connectTimeout)
  const watch = new Watch(request, connectTimeout, 'it could not be reached')
  const abort = (): void => {
    request.destroy()
  }
  signal?.addEventListener('abort', abort, { once: true })
  const end = (): void => {
    watch.stop()
    signal?.removeEventListener('abort', abort)
  }
  const translate = (error: unknown): unknown => {
    if (signal?.aborted) return signal.reason
    return watch.verdict ?? failureOf(error)
  }

  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once('socket', (socket) => {
        const connected = (): void => watch.expect(stallTimeout, 'it did not answer')
        if (socket.connecting) socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected)
        else connected()
      })
      request.once('response', resolve).on('error', reject).end()
    })
    watch.stop()
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: readBody(response, watch, stallTimeout, translate, end),
      discard: () => {
        end()
        request.destroy()
      },
    }
  } catch (error) {
    end()
    throw translate(error)
  }
}

async function openRequest(
  url: URL,
  options: GetOptions,
  connectTimeout: number,
): Promise<http.ClientRequest> {
  const headers = { 'user-agent': 'slipway', 'accept-encoding': 'identity', ...options.headers }
  const proxy = proxyFor(url, options.env ?? {})
  if (!proxy) {
    const agent = agents[url.protocol as keyof typeof agents]
    return (url.protocol === 'https:' ? https : http).request(url, { agent, headers })
  }
  try {
    const signal = options.signal ? { signal: options.signal } : {}
    return await requestThrough(proxy, url, { headers, connectTimeout, ...signal })
  } catch (error) {
    throw options.signal?.aborted ? options.signal.reason : failureOf(error)
  }
}

/** The time the reader takes with a chunk is not the mirror's fault: the watch rests meanwhile. */
async function* readBody(
  response: http.IncomingMessage,
  watch: Watch,
  stallTimeout: number,
  translate: (error: unknown) => unknown,
  end: () => void,
): AsyncGenerator<Buffer> {
  try {
    watch.expect(stallTimeout, 'it stopped sending')
    for await (const chunk of response) {
      watch.stop()
      yield chunk as Buffer
      watch.expect(stallTimeout, 'it stopped sending')
    }
  } catch (error) {
    throw translate(error)
  } finally {
    end()
  }
}

/** Destroys a request when what is expected of it does not come in time. */
class Watch {
  verdict: Failure | undefined
  readonly #request: http.ClientRequest
  #timer: NodeJS.Timeout | undefined

  constructor(request: http.ClientRequest, milliseconds: number, what: string) {
    this.#request = request
    this.expect(milliseconds, what)
  }

  expect(milliseconds: number, what: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.verdict = new Failure(`${what} for ${milliseconds / 1000} s`, true)
      this.#request.destroy()
    }, milliseconds)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
