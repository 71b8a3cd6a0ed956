import { createContext, Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { pacFile } from '../../../src/host/pac-file.ts'

/** Asks a PAC file as a browser does, without any of the functions that look names up. */
function evaluate(text: string): (url: string) => string {
  const sandbox = createContext({})
  new Script(text).runInContext(sandbox)
  return (url) => {
    const { hostname } = new URL(url)
    const host = hostname.replace(/^\[|\]$/g, '')
    return new Script(`FindProxyForURL(${JSON.stringify(url)}, ${JSON.stringify(host)})`).runInContext(
      sandbox,
    )
  }
}

const ask = evaluate(pacFile(['192.0.2.7:3128'], 'acme-wan'))
const through = 'PROXY 192.0.2.7:3128; DIRECT'

describe('a PAC file', () => {
  it('sends web addresses through the appliance, and directly when that is away', () => {
    expect(
      [
        'http://www.example.com/',
        'https://example.org:443/a?b=c',
        'http://example.org:8080/a:8443/',
        'http://198.51.100.4/',
        'HTTP://EXAMPLE.COM/',
      ].map(ask),
    ).toEqual([through, through, through, through, through])
  })

  it('leaves alone what is on the site itself', () => {
    const near = [
      'http://intranet/',
      'http://printer.local/',
      'http://nas.lan/',
      'http://localhost:8080/',
      'http://127.0.0.1/',
      'http://10.1.2.3/',
      'http://172.16.0.1/',
      'http://172.31.255.1/',
      'http://192.168.1.1/',
      'http://169.254.1.1/',
    ]
    expect([...new Set(near.map(ask))]).toEqual(['DIRECT'])
    expect(ask('http://172.32.0.1/')).toBe(through)
    expect(ask('http://10.example.com/')).toBe(through)
    expect(ask('http://notlocal/')).toBe('DIRECT')
    expect(ask('http://thelocal.example/')).toBe(through)
  })

  it('leaves alone the ports that the proxy refuses, which no browser would try another way', () => {
    const refused = ['https://example.org:8443/a?b=c', 'https://example.org:8443', 'http://example.org:81/']
    expect(refused.map(ask)).toEqual(['DIRECT', 'DIRECT', 'DIRECT'])
  })

  it('leaves alone what is not of the web, and IPv6 addresses, which hold no name', () => {
    expect(ask('ftp://ftp.example.com/')).toBe('DIRECT')
    expect(ask('http://[fd00::1]/')).toBe('DIRECT')
  })

  it('takes several proxies in their order', () => {
    const both = evaluate(pacFile(['192.0.2.7:3128', '[2001:db8::7]:3128'], 'acme'))
    expect(both('http://example.com/')).toBe('PROXY 192.0.2.7:3128; PROXY [2001:db8::7]:3128; DIRECT')
  })

  it('is not led astray by what it is called', () => {
    const odd = evaluate(pacFile([], "it's\nfunction FindProxyForURL() { return 'PROXY evil:1' } // é"))
    expect(odd('http://example.com/')).toBe('DIRECT')
  })

  it('is plain ASCII, of which every browser knows what it means', () => {
    expect(pacFile(['192.0.2.7:3128'], 'Größe')).toMatch(/^[\x20-\x7e\n]*$/)
  })
})
