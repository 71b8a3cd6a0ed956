import type { SecureContext } from 'node:tls'

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Milliseconds until the connection stands. */
  readonly connectTimeout?: number
  /** Milliseconds without a byte. */
  readonly stallTimeout?: number
  /** For http_proxy, https_proxy and no_proxy. */
  readonly env?: NodeJS.ProcessEnv
  /** Whom to trust over https; absent: the authorities that Node trusts. */
  readonly secureContext?: SecureContext
}

export interface RequestOptions extends GetOptions {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT'
  /** Sent whole, with its length. */
  readonly body?: Uint8Array
}
