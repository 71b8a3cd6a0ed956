import type http from 'node:http'
import { formatBytes } from './bytes.ts'
import { SlipwayError } from './errors.ts'
import { Failure, failureOf } from './http-failure.ts'
import { openRequest } from './http-open.ts'
import type { GetOptions, PiecedBody, RequestOptions } from './http-options.ts'
import { shownUrl } from './url-user.ts'

/** An answer's head; `body` throws a `Failure` when the line is cut or nothing comes for `stallTimeout`. */
export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Where it came from, after redirects. */
  readonly url: string
  readonly body: AsyncIterable<Buffer>
  /** Lets go of an answer whose body is not read. */
  discard(): void
}

const redirects = new Set([301, 302, 303, 307, 308])

/**
 * GETs an http or https address, following up to five redirects. Throws a `Failure`, or the signal's own reason when
 * it is aborted.
 */
export function get(url: string, options: GetOptions = {}): Promise<Answer> {
  return request(url, options)
}

/**
 * Asks an http or https address. Redirects are followed, up to five, where nothing was sent (GET, HEAD); a header
 * `authorization` goes to no other host. Throws what `get` throws.
 */
export async function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  let current = parseUrl(url)
  let { headers = {} } = options
  const follow = options.method === undefined || options.method === 'GET' || options.method === 'HEAD'
  for (let hops = 0; hops <= 5; hops++) {
    const answer = await requestOnce(current, { ...options, headers })
    const location = answer.headers.location
    if (!follow || !redirects.has(answer.status) || location === undefined) return answer
    answer.discard()
    const next = parseUrl(location, current)
    if (current.protocol === 'https:' && next.protocol === 'http:') {
      throw new Failure(`it redirects from https to the unprotected ${shownUrl(next.href)}`, false)
    }
    if (next.host !== current.host) {
      const { authorization: _, ...others } = headers
      headers = others
    }
    current = next
  }
  throw new Failure('it redirects more than five times', false)
}

/** Reads an answer's body into memory; throws a `Failure` beyond `limit` bytes. */
export async function readLimited(answer: Answer, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer.body) {
    length += chunk.length
    if (length > limit) {
      throw new Failure(`it sends more than the ${formatBytes(limit)} such a file may have`, false)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseUrl(url: string, base?: URL): URL {
  let parsed: URL
  try {
    parsed = new URL(url, base)
  } catch (error) {
    throw new Failure(`"${shownUrl(url)}" is not an address`, false, { cause: error })
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new Failure(`only http and https can be read here, not "${parsed.protocol}"`, false)
  }
  return parsed
}

async function requestOnce(url: URL, options: RequestOptions): Promise<Answer> {
  const { signal, body, connectTimeout = 15_000, stallTimeout = 20_000 } = options
  signal?.throwIfAborted()
  const request = await openRequest(url, { ...options, connectTimeout })
  const watch = new Watch(request, connectTimeout, 'it could not be reached')
  const abort = (): void => {
    request.destroy()
  }
  signal?.addEventListener('abort', abort, { once: true })
  const end = (): void => {
    watch.end()
    signal?.removeEventListener('abort', abort)
  }
  const translate = (error: unknown): unknown => {
    if (signal?.aborted) return signal.reason
    // Of a body that could not be read.
    if (error instanceof SlipwayError) return error
    return watch.verdict ?? failureOf(error)
  }

  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once('socket', (socket) => {
        const connected = (): void => watch.expect(stallTimeout, 'it did not answer')
        if (socket.connecting) socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected)
        else connected()
      })
      request.once('response', resolve).on('error', reject)
      if (body) writeSlices(request, body, () => watch.expect(stallTimeout, 'it took nothing'))
      else request.end()
    })
    watch.stop()
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      url: url.href,
      body: readBody(response, watch, stallTimeout, translate, end),
      discard: () => {
        end()
        discard(request, response)
      },
    }
  } catch (error) {
    end()
    throw translate(error)
  }
}

/**
 * An answer of a few bytes is read to its end, which keeps the connection for the next request; not where it came
 * before all was sent, as a refusal of what is large does.
 */
function discard(request: http.ClientRequest, response: http.IncomingMessage): void {
  if (!request.writableEnded) return void request.destroy()
  const length = Number(response.headers['content-length'] ?? Number.NaN)
  if (request.method === 'HEAD' || response.statusCode === 204 || length <= 16_384) {
    request.setTimeout(2000, () => request.destroy())
    response.on('error', () => {}).resume()
    return
  }
  request.destroy()
}

/** In slices, so that a slow line is told from a dead one. */
function writeSlices(
  request: http.ClientRequest,
  body: Uint8Array | PiecedBody,
  onProgress: () => void,
): void {
  const slice = 256 * 1024
  let from = 0
  const next = async (): Promise<void> => {
    const begin = from
    from = Math.min(begin + slice, body.length)
    const part = 'read' in body ? await body.read(begin, from - begin) : body.subarray(begin, from)
    if (request.destroyed) return
    if (begin > 0) onProgress()
    if (from >= body.length) request.end(part)
    else request.write(part, (error) => error || request.destroyed || go())
  }
  const go = (): void => {
    next().catch((error: Error) => request.destroy(error))
  }
  go()
}

/** The time the reader takes with a chunk is not the server's fault: the watch rests meanwhile. */
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
  #ended = false

  constructor(request: http.ClientRequest, milliseconds: number, what: string) {
    this.#request = request
    this.expect(milliseconds, what)
  }

  expect(milliseconds: number, what: string): void {
    clearTimeout(this.#timer)
    if (this.#ended) return
    this.#timer = setTimeout(() => {
      this.verdict = new Failure(`${what} for ${milliseconds / 1000} s`, true)
      this.#request.destroy()
    }, milliseconds)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Whatever is expected after this: a part of the body may be taken after the answer came. */
  end(): void {
    this.#ended = true
    this.stop()
  }
}
