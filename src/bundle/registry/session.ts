import { type Digest, digestOf } from '../../lib/digest.ts'
import { SlipwayError } from '../../lib/errors.ts'
import { Failure, statusFailure } from '../../lib/http-failure.ts'
import type { GetOptions, RequestOptions } from '../../lib/http-options.ts'
import { type Answer, readLimited, request } from '../../lib/http-request.ts'
import { type Patience, withRetries } from '../../lib/http-retry.ts'
import { authorityFolders, trustAuthorities } from './authorities.ts'
import { findClientCertificate } from './client-certificate.ts'
import { findCredentials } from './credentials.ts'
import { adviceFor } from './failure-advice.ts'
import { Login } from './login.ts'
import { isLocal, protectOwn, type RegistryReference } from './reference.ts'

export interface SessionOptions extends Patience, Pick<GetOptions, 'connectTimeout' | 'stallTimeout'> {
  readonly env: NodeJS.ProcessEnv
  /** Speak plain http also to a registry that is not on this machine. */
  readonly insecure?: boolean
}

export interface Question extends Pick<RequestOptions, 'method' | 'headers' | 'body'> {
  /** Below the repository ("blobs/sha256:…"), or an address that the registry gave. */
  readonly path: string
  /** Statuses that are answers; all others are failures. */
  readonly wanted: readonly number[]
  /** Beginning of an error sentence: "The manifest of acme/wan:1.0.0 cannot be read". */
  readonly what: string
}

/** Manifests above this size are refused, as registries do (distribution-spec, "Pushing Manifests"). */
export const manifestLimit = 4 * 2 ** 20

/** One repository of a registry, spoken to in the OCI distribution protocol. */
export class RegistrySession {
  readonly reference: RegistryReference
  readonly patience: Patience
  readonly #authorities: readonly string[]
  readonly #network: GetOptions
  readonly #login: Login
  #scheme: 'http' | 'https'
  /** Whether it has answered in the scheme. */
  #isMet = false
  /** Whether it answers HEAD, as registries must (distribution-spec, "Pulling"), and some proxies before them do not. */
  #takesHead = true

  constructor(reference: RegistryReference, options: SessionOptions) {
    const { env, signal, connectTimeout, stallTimeout, attempts, backoff, insecure } = options
    const plain = insecure === true || isLocal(reference.registry)
    const cancel = signal ? { signal } : {}
    const authorities = authorityFolders(reference.registry, env)
    const secureContext = trustAuthorities(authorities, findClientCertificate(authorities))
    this.reference = reference
    this.patience = {
      ...cancel,
      ...(attempts !== undefined && { attempts }),
      ...(backoff !== undefined && { backoff }),
    }
    this.#scheme = plain ? 'http' : 'https'
    this.#authorities = authorities
    this.#network = {
      env,
      ...cancel,
      ...(connectTimeout !== undefined && { connectTimeout }),
      stallTimeout: stallTimeout ?? 60_000,
      ...(secureContext && { secureContext }),
    }
    const credentials = () => findCredentials(reference.registry, env)
    this.#login = new Login({ registry: reference.registry, network: this.#network, plain, credentials })
    this.#login.addScope(`repository:${reference.repository}:pull`)
  }

  /** Tokens are to allow this too: "repository:acme/wan:pull,push"; a wish, where they are given with it. */
  addScope(scope: string, isWish = false): void {
    this.#login.addScope(scope, isWish)
  }

  /** Address of something below the repository. */
  url(path: string): string {
    if (/^https?:/.test(path)) return path
    const { registry, repository } = this.reference
    return `${this.#scheme}://${registry}/v2/${repository}/${path}`
  }

  /** One question, asked again while what hinders it may pass. Throws a `SlipwayError` that begins with `what`. */
  async ask(question: Question): Promise<Answer> {
    return withRetries(this.patience, () => this.askOnce(question), this.gaveUp(question.what))
  }

  /** One question, asked once, logged in where the registry wants that. Throws `Failure`. */
  async askOnce({ path, wanted, ...options }: Question): Promise<Answer> {
    const answer = await this.get(this.url(path), options)
    if (answer.status !== 400) this.#isMet = true
    if (wanted.includes(answer.status)) return answer
    if (answer.status === 400 && this.#speaksTls(answer)) return this.askOnce({ path, wanted, ...options })
    throw await refusal(answer)
  }

  /**
   * Whether something is there, by HEAD: 200 or 404, and the headers. Where the registry takes no HEAD, by a GET whose
   * body is not read.
   */
  async look({ path, what, headers }: Pick<Question, 'path' | 'what' | 'headers'>): Promise<Answer> {
    if (this.#takesHead) {
      const wanted = [200, 404, ...withoutHead]
      const answer = await this.ask({ method: 'HEAD', path, what, wanted, ...(headers && { headers }) })
      answer.discard()
      if (!withoutHead.includes(answer.status)) return answer
      this.#takesHead = false
    }
    const answer = await this.ask({ path, what, wanted: [200, 404], ...(headers && { headers }) })
    answer.discard()
    return answer
  }

  /** A request of an address with this registry's login, which goes to no other host. */
  async get(url: string, options: RequestOptions = {}): Promise<Answer> {
    if (this.#scheme === 'https' && url.startsWith('http:')) {
      const safe = protectOwn(url, this.reference.registry)
      if (safe !== url) return this.get(safe, options)
      throw new Failure(`it sends on to the unprotected ${new URL(url).origin}`, false)
    }
    // Who asks may give up before the whole session does: where another blob of the image cannot be had.
    const signals = [options.signal, this.#network.signal].filter((one) => one !== undefined)
    const cancel = signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}
    for (let tried = 1; ; tried++) {
      const { authorization } = this.#login
      const isOwn = (place: string): boolean => new URL(place).host === new URL(this.url('')).host
      const own = isOwn(url)
      const login = own && authorization ? { authorization } : {}
      const answer = await request(url, {
        ...options,
        ...this.#network,
        ...cancel,
        headers: { ...options.headers, ...login },
      })
      // A host that this one sent on to is told no password, and does not say who is to be told it.
      if (answer.status !== 401 || !own || !isOwn(answer.url) || tried > 2) return answer
      answer.discard()
      if (await this.#login.answer(answer.headers['www-authenticate'], authorization)) continue
      return answer
    }
  }

  /**
   * A manifest's bytes under a tag or digest, held against the digest; undefined where there is none. Throws
   * `wrong-digest` where other bytes are served.
   */
  async readManifest(version: string, what: string): Promise<{ bytes: Buffer; digest: Digest } | undefined> {
    const question: Question = {
      path: `manifests/${version}`,
      headers: { accept: manifestTypes },
      wanted: [200, 404],
      what,
    }
    const attempt = async (): Promise<Buffer | undefined> => {
      const answer = await this.askOnce(question)
      if (answer.status === 200) return readLimited(answer, manifestLimit)
      answer.discard()
      return undefined
    }
    const bytes = await withRetries(this.patience, attempt, this.gaveUp(what))
    if (!bytes) return undefined
    const digest = digestOf(bytes)
    if (version.startsWith('sha256:') && version !== digest) throw this.wrongBytes(version, digest)
    return { bytes, digest }
  }

  /** A small blob whole: a configuration, a signature's payload. Throws `wrong-digest`, `not-found`. */
  async readBlob(blob: { digest: Digest; size: number }, what: string): Promise<Buffer> {
    if (blob.size > manifestLimit) {
      throw new SlipwayError('too-large', `${what}: it says it is ${blob.size} bytes; none is so large.`)
    }
    const question: Question = { path: `blobs/${blob.digest}`, wanted: [200], what }
    const attempt = async () => readLimited(await this.askOnce(question), blob.size)
    const bytes = await withRetries(this.patience, attempt, this.gaveUp(what))
    const digest = digestOf(bytes)
    if (digest !== blob.digest) throw this.wrongBytes(blob.digest, digest)
    return bytes
  }

  wrongBytes(wanted: string, found: string): SlipwayError {
    const { registry, repository } = this.reference
    return new SlipwayError(
      'wrong-digest',
      `${registry} serves other bytes (${found}) for ${repository}@${wanted}, so they are refused; ask who runs ${registry}.`,
    )
  }

  /** What a failed request is called, and what to do about it. */
  gaveUp(what: string): (failure: Failure, tried: number) => SlipwayError {
    const { registry, repository } = this.reference
    return (failure, tried) => {
      const times = tried > 1 ? `, asked ${tried} times` : ''
      const authority = this.#authorities[0]
      const { code, advice } = adviceFor(failure, { registry, authority, isKnown: this.#login.known })
      return new SlipwayError(
        code,
        `${what}, because of ${registry}/${repository}: ${failure.message}${times}; ${advice}.`,
        { cause: failure.cause ?? failure },
      )
    }
  }

  /** Go's servers say in words that they were spoken to in plain http, and want TLS. */
  #speaksTls(answer: Answer): boolean {
    const html = answer.headers['docker-distribution-api-version'] === undefined
    if (this.#isMet || this.#scheme !== 'http' || !isLocal(this.reference.registry) || !html) return false
    answer.discard()
    this.#scheme = 'https'
    return true
  }
}

/** What is answered to a method that is not known: "not allowed" and "not implemented" (RFC 9110, 15.5.6 and 15.6.2). */
const withoutHead = [405, 501]

export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/** The registry's own words for a refusal (distribution-spec, "Error Codes"), made safe to show. */
async function refusal(answer: Answer): Promise<Failure> {
  const { status, headers } = answer
  const failure = statusFailure(status, headers['retry-after'])
  const text = await readLimited(answer, 16_384).catch(() => undefined)
  answer.discard()
  let words = ''
  try {
    const { errors } = JSON.parse(text?.toString() ?? '') as {
      errors?: { code?: unknown; message?: unknown }[]
    }
    const said = errors?.[0]?.message ?? errors?.[0]?.code
    if (typeof said === 'string') words = said.replace(/[^\x20-\x7e]/g, ' ').slice(0, 200)
  } catch {}
  if (words === '') return failure
  const { retry, after } = failure
  return new Failure(`it answers ${status} (${words})`, retry, { status, after })
}
