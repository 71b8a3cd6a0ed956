import { Failure, statusFailure } from '../../lib/http-failure.ts'
import type { GetOptions } from '../../lib/http-options.ts'
import { readLimited, request } from '../../lib/http-request.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Credentials } from './credential-helper.ts'
import { protectOwn } from './reference.ts'

export interface LoginOptions {
  /** Host of the registry, with its port where one is named. */
  readonly registry: string
  readonly network: GetOptions
  /** Whether a token may be fetched over plain http: only where the registry itself is spoken to so. */
  readonly plain: boolean
  /** Asked once, when the registry first asks who is there. */
  readonly credentials: () => Promise<Credentials | undefined>
}

/**
 * Answers a registry's challenges: basic credentials, or a token from the service that it names (distribution's token
 * authentication; OAuth 2 for an identity token).
 */
export class Login {
  /** Value of the `authorization` header, once the registry has asked. */
  authorization: string | undefined
  /** Whether there was anything to answer with. */
  known = false
  readonly #options: LoginOptions
  readonly #scopes = new Set<string>()
  readonly #wishes = new Set<string>()
  #credentials: Promise<Credentials | undefined> | undefined
  #pending: Promise<boolean> | undefined

  constructor(options: LoginOptions) {
    this.#options = options
  }

  /**
   * From now on tokens are asked for this too: "repository:acme/wan:pull,push". A wish is what can be done without: where
   * the token service refuses it, which may be all that is asked with it, it is asked for the rest.
   */
  addScope(scope: string, isWish = false): void {
    if (isWish) this.#wishes.add(scope)
    else this.#scopes.add(scope)
  }

  /** Answers a 401; false where nothing can be answered. `used` is the header that was refused. */
  async answer(header: string | undefined, used: string | undefined): Promise<boolean> {
    // Many requests may be refused at once: one login serves them all.
    if (this.authorization !== used) return true
    this.#pending ??= this.#answer(parseChallenges(header ?? '')).finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #answer(challenges: readonly Challenge[]): Promise<boolean> {
    this.#credentials ??= this.#options.credentials()
    const credentials = await this.#credentials
    this.known = credentials !== undefined
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
    if (bearer) {
      this.authorization = `Bearer ${await this.#fetchToken(bearer.parameters, credentials)}`
      return true
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return false
    if (!credentials || !('username' in credentials)) return false
    const basic = basicHeader(credentials)
    if (this.authorization === basic) return false
    this.authorization = basic
    return true
  }

  async #fetchToken(
    { realm = '', service, scope = '' }: Readonly<Record<string, string>>,
    credentials: Credentials | undefined,
  ): Promise<string> {
    if (!URL.canParse(realm)) throw new Failure(`it names no address for tokens ("${realm}")`, false)
    const { plain, registry } = this.#options
    const url = new URL(plain ? realm : protectOwn(realm, registry))
    if (url.protocol !== 'https:' && !plain) {
      throw new Failure(`it sends for a token to the unprotected ${url.origin}`, false)
    }
    const asked = scope.split(' ').filter((one) => one !== '')
    const ask = (wishes: Iterable<string>) => {
      const scopes = new Set([...this.#scopes, ...wishes, ...asked])
      if (credentials && 'identityToken' in credentials)
        return this.#exchange(url, service, scopes, credentials.identityToken)
      return this.#ask(new URL(url), service, scopes, credentials)
    }
    let answer = await ask(this.#wishes)
    if (this.#wishes.size > 0 && [400, 401, 403, 404].includes(answer.status)) {
      answer.discard()
      this.#wishes.clear()
      answer = await ask([])
    }
    if (answer.status !== 200) {
      answer.discard()
      const failure = statusFailure(answer.status, answer.headers['retry-after'])
      throw new Failure(`its token service ${url.host} answers ${answer.status}`, failure.retry, {
        status: answer.status,
        after: failure.after,
      })
    }
    return readToken(await readLimited(answer, 1 << 20), url.host)
  }

  #ask(
    url: URL,
    service: string | undefined,
    scopes: ReadonlySet<string>,
    credentials: { username: string; password: string } | undefined,
  ) {
    if (service) url.searchParams.set('service', service)
    for (const scope of scopes) url.searchParams.append('scope', scope)
    if (credentials) url.searchParams.set('account', credentials.username)
    const headers: Record<string, string> = credentials ? { authorization: basicHeader(credentials) } : {}
    return request(url.href, { ...this.#options.network, headers })
  }

  #exchange(url: URL, service: string | undefined, scopes: ReadonlySet<string>, token: string) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: token,
      client_id: 'slipway',
      service: service ?? '',
      scope: [...scopes].join(' '),
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = Buffer.from(form.toString())
    return request(url.href, { ...this.#options.network, method: 'POST', headers, body })
  }
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function readToken(bytes: Buffer, host: string): string {
  let answer: { token?: unknown; access_token?: unknown } = {}
  try {
    answer = (JSON.parse(bytes.toString()) as typeof answer | null) ?? {}
  } catch {}
  const token = answer.token ?? answer.access_token
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token
  throw new Failure(`its token service ${host} gives no token`, false)
}
