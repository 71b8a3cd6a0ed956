import http from 'node:http'
import https from 'node:https'
import type { SecureContext } from 'node:tls'
import { failureOf } from './http-failure.ts'
import type { RequestOptions } from './http-options.ts'
import { proxyFor, requestThrough } from './http-proxy.ts'
import { userOf, withoutUser } from './url-user.ts'

const pool = { keepAlive: true, maxSockets: 8 }
const plainAgent = new http.Agent(pool)
const tlsAgent = new https.Agent(pool)
/** A connection serves only those who trust the same. */
const tlsAgents = new WeakMap<SecureContext, https.Agent>()

/** Begins a request, through the environment's proxy where there is one; its body is not sent yet. Throws `Failure`. */
export async function openRequest(
  address: URL,
  options: RequestOptions & { readonly connectTimeout: number },
): Promise<http.ClientRequest> {
  const { method = 'GET', body, connectTimeout } = options
  const headers = {
    'user-agent': 'slipway',
    'accept-encoding': 'identity',
    ...(method !== 'GET' && method !== 'HEAD' && { 'content-length': String(body?.length ?? 0) }),
    ...options.headers,
  }
  const url = withoutUser(address)
  const user = userOf(address)
  const common = { method, headers, ...(user !== undefined && { auth: user }) }
  const proxy = proxyFor(url, options.env ?? {})
  if (!proxy) {
    if (url.protocol === 'http:') return http.request(url, { ...common, agent: plainAgent })
    return https.request(url, { ...common, agent: tlsAgentFor(options.secureContext) })
  }
  try {
    const { signal, secureContext } = options
    return await requestThrough(proxy, url, {
      ...common,
      connectTimeout,
      ...(signal && { signal }),
      ...(secureContext && { secureContext }),
    })
  } catch (error) {
    throw options.signal?.aborted ? options.signal.reason : failureOf(error)
  }
}

function tlsAgentFor(secureContext: SecureContext | undefined): https.Agent {
  if (!secureContext) return tlsAgent
  const agent = tlsAgents.get(secureContext) ?? new https.Agent({ ...pool, secureContext })
  tlsAgents.set(secureContext, agent)
  return agent
}
