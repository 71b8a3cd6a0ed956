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

/** A body too large for memory: read piece by piece as it is sent, and from its beginning where it is sent again. */
export interface PiecedBody {
  readonly length: number
  read(from: number, length: number): Promise<Uint8Array>
}

export interface RequestOptions extends GetOptions {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT'
  /** Sent whole, with its length. */
  readonly body?: Uint8Array | PiecedBody
}
