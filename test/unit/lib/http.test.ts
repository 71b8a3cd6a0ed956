import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseRetryAfter, statusFailure } from '../../../src/lib/http-failure.ts'
import { proxyFor } from '../../../src/lib/http-proxy.ts'
import { get } from '../../../src/lib/http-request.ts'
import { shownUrl } from '../../../src/lib/url-user.ts'

describe('Retry-After', () => {
  const now = Date.parse('2026-03-10T12:00:00Z')

  it.each([
    ['7', 7000],
    ['Tue, 10 Mar 2026 12:00:05 GMT', 5000],
    ['Tue, 10 Mar 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('of %s is %s ms', (value, milliseconds) => {
    expect(parseRetryAfter(value, now)).toBe(milliseconds)
  })
})

it('only what may pass by itself is tried again', () => {
  const statuses = [400, 401, 403, 404, 408, 410, 418, 429, 500, 501, 502, 503, 504]
  expect(statuses.filter((status) => statusFailure(status, undefined).retry)).toEqual([
    408, 429, 500, 502, 503, 504,
  ])
})

describe('the proxy of the environment', () => {
  const proxyOf = (url: string, env: NodeJS.ProcessEnv) => proxyFor(new URL(url), env)?.href

  it('is chosen by scheme', () => {
    const env = { http_proxy: 'http://one.example:3128', HTTPS_PROXY: 'two.example:3129' }
    expect([proxyOf('http://mirror.example/x', env), proxyOf('https://mirror.example/x', env)]).toEqual([
      'http://one.example:3128/',
      'http://two.example:3129/',
    ])
  })

  it('is taken from HTTP_PROXY but in a CGI program, where a request header can set it', () => {
    const env = { HTTP_PROXY: 'http://one.example:3128' }
    expect(proxyOf('http://mirror.example/x', env)).toBe('http://one.example:3128/')
    expect(proxyOf('http://mirror.example/x', { ...env, REQUEST_METHOD: 'GET' })).toBe(undefined)
  })

  it('is never asked for what is on this machine', () => {
    const env = { http_proxy: 'http://one.example:3128', https_proxy: 'http://one.example:3128' }
    const urls = ['http://localhost:5000/', 'https://127.0.0.1:5000/', 'http://127.8.9.1/', 'https://[::1]/']
    expect(urls.filter((url) => proxyOf(url, env) !== undefined)).toEqual([])
  })

  it('is passed by for a block of addresses that no_proxy names', () => {
    const env = { http_proxy: 'http://one.example:3128', no_proxy: '10.0.0.0/8,fd00::/8,192.0.2.7/33,x/8' }
    const urls = ['10.1.2.3:5000', '[fd12::1]', '11.1.2.3', '192.0.2.7', '[fe80::1]', 'x']
    expect(urls.filter((host) => proxyOf(`http://${host}/`, env) === undefined)).toEqual([
      '10.1.2.3:5000',
      '[fd12::1]',
    ])
  })

  it.each(['*', 'mirror.example', '.example', '*.example', 'example', 'a, mirror.example:8080'])(
    'is passed by where no_proxy is "%s"',
    (no_proxy) => {
      const env = { http_proxy: 'http://one.example:3128', no_proxy }
      expect(proxyOf('http://mirror.example:8080/x', env)).toBe(undefined)
    },
  )

  it('is passed by for a host that no_proxy names with the port of its scheme', () => {
    const env = { https_proxy: 'http://one.example:3128', no_proxy: 'mirror.example:443' }
    expect(proxyOf('https://mirror.example/x', env)).toBe(undefined)
    expect(proxyOf('https://mirror.example:8443/x', env)).toBe('http://one.example:3128/')
  })

  it.each(['ample', 'other.example', 'mirror.example:80', ''])(
    'is used where no_proxy is "%s"',
    (no_proxy) => {
      const env = { http_proxy: 'http://one.example:3128', no_proxy }
      expect(proxyOf('http://mirror.example:8080/x', env)).toBe('http://one.example:3128/')
    },
  )

  it('of another kind than http is an error', () => {
    expect(() => proxyOf('http://mirror.example/x', { http_proxy: 'socks5://one.example' })).toThrow(
      'the proxy address "socks5://one.example" in the environment cannot be used (http://host:port)',
    )
  })
})

it('an address is shown without its user name and password, also one that cannot be used', () => {
  const shown = {
    'https://a:b@mirror.example/x@y': 'https://mirror.example/x@y',
    'http://mirror.example/x@y': 'http://mirror.example/x@y',
    'http://a:b@c@mirror.example/x': 'http://mirror.example/x',
    'http://a:b/c@mirror.example/x': 'http://mirror.example/x',
    'a:b@mirror.example/x': 'mirror.example/x',
    'socks5://a:b@one.example': 'socks5://one.example',
  }
  expect(Object.keys(shown).map(shownUrl)).toEqual(Object.values(shown))
  const env = { https_proxy: 'https://a:b@one.example:3128' }
  expect(() => proxyFor(new URL('https://mirror.example/x'), env)).toThrow(
    'the proxy address "https://one.example:3128" in the environment cannot be used (http://host:port)',
  )
})

describe('the user that an address names', () => {
  let server: http.Server
  let seen: string[]
  beforeEach(async () => {
    seen = []
    server = http.createServer((request, response) => {
      const [, login = ''] = (request.headers.authorization ?? '').split(' ')
      seen.push(`${request.url} ${Buffer.from(login, 'base64')}`)
      response.end()
    })
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))
  const listen = async (host: string) => {
    await once(server.listen(0, host), 'listening')
    return (server.address() as AddressInfo).port
  }

  it('is told to the server, directly and through a proxy, which is told the bare address', async () => {
    const port = await listen('127.0.0.1')
    const env = { http_proxy: `http://127.0.0.1:${port}` }
    const one = await get(`http://partner:50%25%off@127.0.0.1:${port}/x`)
    one.discard()
    const two = await get('http://partner:secret@mirror.example/x', { env })
    two.discard()
    expect(seen).toEqual(['/x partner:50%25%off', 'http://mirror.example/x partner:secret'])
  })

  it('a proxy may have an IPv6 address', async () => {
    const env = { http_proxy: `http://[::1]:${await listen('::1')}` }
    const answer = await get('http://mirror.example/x', { env })
    answer.discard()
    expect(seen).toEqual(['http://mirror.example/x '])
  })
})
