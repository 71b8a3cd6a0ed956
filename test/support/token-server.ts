import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'

export interface TokenServerOptions {
  /** PEM: its own certificate, which signs the tokens too, and the key of that. */
  readonly certificate: string
  readonly key: string
}

/**
 * Gives the user `partner` with the password `secret`, or whoever brings the identity token `identity`, tokens for a
 * registry (distribution's token authentication, and its OAuth 2 way), over https on loopback. A token is a JWT (RFC 7519)
 * that bears the certificate of the key that signed it (`x5c`).
 */
export class TokenServer {
  static readonly issuer = 'tokens of the test'
  static readonly service = 'registry of the test'
  /** Scopes of each token, in order. */
  readonly scopes: string[][] = []
  readonly #server: https.Server

  private constructor(options: TokenServerOptions) {
    this.#server = https.createServer(
      { cert: options.certificate, key: options.key },
      (request, response) => {
        void readWishes(request).then((wishes) => {
          if (!wishes) return void response.writeHead(401).end()
          this.scopes.push(wishes.scopes)
          const token = makeToken(wishes, options)
          response.end(JSON.stringify(request.method === 'POST' ? { access_token: token } : { token }))
        })
      },
    )
  }

  static async start(options: TokenServerOptions): Promise<TokenServer> {
    const tokens = new TokenServer(options)
    await once(tokens.#server.listen(0, '127.0.0.1'), 'listening')
    return tokens
  }

  get realm(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

interface Wishes {
  readonly scopes: string[]
  readonly service: string | null
}

/** What is asked for; undefined where nobody known asks. */
async function readWishes(request: IncomingMessage): Promise<Wishes | undefined> {
  if (request.method === 'POST') {
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString())
    if (form.get('grant_type') !== 'refresh_token' || form.get('refresh_token') !== 'identity') return
    return { scopes: (form.get('scope') ?? '').split(' '), service: form.get('service') }
  }
  const login = `Basic ${Buffer.from('partner:secret').toString('base64')}`
  if (request.headers.authorization !== login) return
  const { searchParams } = new URL(request.url ?? '', 'https://127.0.0.1')
  return { scopes: searchParams.getAll('scope'), service: searchParams.get('service') }
}

function makeToken({ scopes, service }: Wishes, options: TokenServerOptions): string {
  const now = Math.floor(Date.now() / 1000)
  const access = scopes.map((scope) => {
    const [type, name, actions = ''] = scope.split(':')
    return { type, name, actions: actions.split(',') }
  })
  const x5c = [new X509Certificate(options.certificate).raw.toString('base64')]
  const signed = [
    { typ: 'JWT', alg: 'ES256', x5c },
    {
      iss: TokenServer.issuer,
      sub: 'partner',
      aud: service,
      jti: randomUUID(),
      iat: now,
      nbf: now - 60,
      exp: now + 300,
      access,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const key = createPrivateKey(options.key)
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
