import http from 'node:http'
import https from 'node:https'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { Failure } from './http-failure.ts'
import type { GetOptions } from './http-options.ts'
import { isLoopback } from './loopback.ts'
import { shownUrl, userOf } from './url-user.ts'

/**
 * The proxy that the environment names for an address (http_proxy, https_proxy, no_proxy), or undefined. Read as Docker
 * reads it: in capitals too, blocks of addresses (10.0.0.0/8) among the exceptions, and never for this machine itself.
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  // HTTP_PROXY can be set by a request header in a CGI program, which REQUEST_METHOD tells.
  const plain = env.http_proxy || (env.REQUEST_METHOD ? undefined : env.HTTP_PROXY)
  const value = url.protocol === 'https:' ? env.https_proxy || env.HTTPS_PROXY : plain
  if (!value || isLoopback(url.hostname) || excepted(url, env.no_proxy || env.NO_PROXY || ''))
    return undefined
  const address = value.includes('://') ? value : `http://${value}`
  if (!URL.canParse(address) || new URL(address).protocol !== 'http:') {
    throw new Failure(
      `the proxy address "${shownUrl(value)}" in the environment cannot be used (http://host:port)`,
      false,
    )
  }
  return new URL(address)
}

function excepted(url: URL, noProxy: string): boolean {
  const address = url.hostname.replace(/^\[|\]$/g, '')
  // An address does not hold the port that goes with its scheme.
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return noProxy
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .some((name) => {
      const bare = name.replace(/^\*?\./, '').toLowerCase()
      if (name.includes('/')) return isInBlock(address, name)
      const place = `${url.hostname}:${port}`
      return name === '*' || address === bare || url.hostname.endsWith(`.${bare}`) || place === bare
    })
}

function isInBlock(address: string, block: string): boolean {
  const [network = '', length = ''] = block.split('/')
  const [version, most] = isIPv6(network) ? (['ipv6', 128] as const) : (['ipv4', 32] as const)
  if (!isIP(network) || !isIP(address) || !/^\d{1,3}$/.test(length) || Number(length) > most) return false
  const list = new BlockList()
  list.addSubnet(network, Number(length), version)
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

export interface ProxiedRequest extends Pick<GetOptions, 'signal' | 'secureContext'> {
  readonly method: string
  readonly headers: Record<string, string>
  readonly connectTimeout: number
  /** "user:password" for the server. */
  readonly auth?: string
}

/** A request through a proxy: the whole address for http, a CONNECT tunnel for https (RFC 9110, 9.3.6). */
export async function requestThrough(
  proxy: URL,
  url: URL,
  options: ProxiedRequest,
): Promise<http.ClientRequest> {
  const credentials = userOf(proxy)
  const authorization: Record<string, string> =
    credentials === undefined
      ? {}
      : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
  // Only in an address does an IPv6 address stand in brackets.
  const place = { host: proxy.hostname.replace(/^\[|\]$/g, ''), port: proxy.port || 80 }
  const { method, headers, auth, secureContext } = options
  if (url.protocol === 'http:') {
    const all = { host: url.host, ...headers, ...authorization }
    return http.request({
      ...place,
      method,
      path: url.href,
      headers: all,
      ...(auth !== undefined && { auth }),
    })
  }
  const target = `${url.hostname}:${url.port || 443}`
  const connect = http.request({
    ...place,
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...authorization },
    timeout: options.connectTimeout,
    ...(options.signal ? { signal: options.signal } : {}),
  })
  const socket = await new Promise<http.IncomingMessage['socket']>((resolve, reject) => {
    connect.once('connect', (response, tunnel) => {
      if (response.statusCode === 200) return resolve(tunnel as http.IncomingMessage['socket'])
      tunnel.destroy()
      const asks =
        response.statusCode === 407 ? ': it asks for a password (http://user:password@host:port)' : ''
      reject(new Failure(`the proxy ${proxy.host} answers ${response.statusCode}${asks}`, false))
    })
    connect.once('timeout', () =>
      connect.destroy(new Failure(`the proxy ${proxy.host} did not answer`, true)),
    )
    connect.once('error', reject).end()
  })
  return https.request(url, {
    ...{ method, headers, socket, agent: false },
    ...(auth !== undefined && { auth }),
    ...(secureContext && { secureContext }),
  } as https.RequestOptions)
}
