import { errorCode } from './errors.ts'

/** Why a request came to nothing: the end of a sentence ("the connection was cut"), and whether to try again. */
export class Failure extends Error {
  readonly retry: boolean
  /** Milliseconds that the server asked to wait. */
  readonly after: number | undefined
  /** The status of the answer, where there was one. */
  readonly status: number | undefined

  constructor(
    reason: string,
    retry: boolean,
    details: { cause?: unknown; after?: number | undefined; status?: number } = {},
  ) {
    super(reason, details.cause === undefined ? undefined : { cause: details.cause })
    this.retry = retry
    this.after = details.after
    this.status = details.status
  }
}

const noTls = ['it does not speak TLS', false] as const
const stranger = ['its certificate is from an authority that is not known here', false] as const
const refused = ['it wants a certificate of this client that it knows', false] as const

const words: Readonly<Record<string, readonly [reason: string, retry: boolean]>> = {
  ENOTFOUND: ['no host of that name is known', false],
  EAI_AGAIN: ['the name server did not answer', true],
  ECONNREFUSED: ['nothing listens there (connection refused)', false],
  ECONNRESET: ['the connection was cut', true],
  EPIPE: ['the connection was cut', true],
  ETIMEDOUT: ['it could not be reached in time', true],
  EHOSTUNREACH: ['there is no way to that host', true],
  ENETUNREACH: ['there is no network', false],
  CERT_HAS_EXPIRED: ['its certificate has expired', false],
  CERT_NOT_YET_VALID: ['its certificate is not valid yet', false],
  ERR_TLS_CERT_ALTNAME_INVALID: ['its certificate is for another host', false],
  DEPTH_ZERO_SELF_SIGNED_CERT: stranger,
  SELF_SIGNED_CERT_IN_CHAIN: stranger,
  UNABLE_TO_GET_ISSUER_CERT: stranger,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: stranger,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: stranger,
  // What servers answer to a client's certificate, or to none (RFC 8446, 6.2).
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: refused,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: refused,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: refused,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: refused,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: refused,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: refused,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: refused,
}

/** Whether a server showed a certificate from an authority that nobody named. */
export function isUnknownAuthority({ cause }: Failure): boolean {
  return words[errorCode(cause) ?? ''] === stranger
}

/** Whether a server wants to know by a certificate who asks, and was shown none that it knows. */
export function refusesClient({ cause }: Failure): boolean {
  return words[errorCode(cause) ?? ''] === refused
}

/** Whether a server answered a TLS greeting in something else, such as plain http. */
export function speaksNoTls({ cause }: Pick<Failure, 'cause'>): boolean {
  return cause instanceof Error && /:wrong version number:/.test(cause.message)
}

/** Puts a socket's error into words. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  const code = errorCode(error) ?? ''
  const [reason, retry] = (speaksNoTls({ cause: error }) ? noTls : words[code]) ?? [
    error instanceof Error ? error.message : String(error),
    code.startsWith('HPE_'),
  ]
  return new Failure(reason, retry, { cause: error })
}

/** A status that is not the file, as a failure; 429 and 5xx may pass, and are waited for as Retry-After asks. */
export function statusFailure(status: number, retryAfter: string | undefined, now = Date.now()): Failure {
  const meaning: Record<number, string> = {
    401: 'it asks for a password',
    403: 'it refuses access',
    404: 'it does not have the file',
    405: 'it does not allow this',
    407: 'the proxy asks for a password',
    410: 'it no longer has the file',
    413: 'it takes no request of this size',
    429: 'it says there were too many requests',
    500: 'it has an error of its own',
    502: 'the server behind it does not work',
    503: 'it is not available now',
    504: 'the server behind it does not answer',
    507: 'its disk is full',
  }
  const retry = status === 408 || status === 429 || (status >= 500 && status !== 501)
  const reason = meaning[status] ?? 'that is no answer to a request for a file'
  return new Failure(`it answers ${status}: ${reason}`, retry, {
    status,
    after: parseRetryAfter(retryAfter, now),
  })
}

/** Retry-After (RFC 9110, 10.2.3), seconds or a date, in milliseconds. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
