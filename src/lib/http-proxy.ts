import http from 'node:http'
import https from 'node:https'
import { Failure } from './http-failure.ts'

/**
 * The proxy that the environment names for an address (http_proxy, https_proxy, no_proxy, as curl and apt read them),
 * or undefined.
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  // Upper-case HTTP_PROXY can be set by a request header in a CGI program: curl ignores it, and so does this.
  const value = url.protocol === 'https:' ? env.https_proxy || env.HTTPS_PROXY : env.http_proxy
  if (!value || excepted(url, env.no_proxy || env.NO_PROXY || '')) return undefined
  const address = value.includes('://') ? value : `http://${value}`
  if (!URL.canParse(address) || new URL(address).protocol !== 'http:') {
    throw new Failure(
      `the proxy address "${value}" in the environment cannot be used (http://host:port)`,
      false,
    )
  }
  return new URL(address)
}

function excepted(url: URL, noProxy: string): boolean {
  return noProxy
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .some((name) => {
      const bare = name.replace(/^\*?\./, '').toLowerCase()
      return name === '*' || url.hostname === bare || url.hostname.endsWith(`.${bare}`) || url.host === bare
    })
}

/** A request through a proxy: the whole address for http, a CONNECT tunnel for https (RFC 9110, 9.3.6). */
export async function requestThrough(
  proxy: URL,
  url: URL,
  options: { method: string; headers: Record<string, string>; connectTimeout: number; signal?: AbortSignal },
): Promise<http.ClientRequest> {
  const credentials = proxy.username
    ? Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`)
    : undefined
  const authorization: Record<string, string> = credentials
    ? { 'proxy-authorization': `Basic ${credentials.toString('base64')}` }
    : {}
  const place = { host: proxy.hostname, port: proxy.port || 80 }
  if (url.protocol === 'http:') {
    const headers = { host: url.host, ...options.headers, ...authorization }
    return http.request({ ...place, method: options.method, path: url.href, headers })
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
      reject(new Failure(`the proxy ${proxy.host} answers ${response.statusCode}`, false))
    })
    connect.once('timeout', () =>
      connect.destroy(new Failure(`the proxy ${proxy.host} did not answer`, true)),
    )
    connect.once('error', reject).end()
  })
  const { method } = options
  return https.request(url, {
    method,
    socket,
    agent: false,
    headers: options.headers,
  } as https.RequestOptions)
}
