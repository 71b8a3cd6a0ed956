import { describe, expect, it } from 'vitest'
import { withSettings } from '../../../src/host/settings.ts'

const profile = { name: 'branch', description: '', services: { dns: { memory: 67_108_864, port: '53' } } }
const services = ['dns', 'optimiser']

describe('withSettings', () => {
  it('lays settings of a site over the profile', () => {
    const settings = ['dns.port=127.0.0.1:1053', 'optimiser.memory=1g', 'allowedNetworks=10.0.0.0/8,fc00::/7']
    expect(withSettings(profile, settings, services)).toEqual({
      name: 'branch',
      description: '',
      services: {
        dns: { memory: 67_108_864, port: '127.0.0.1:1053' },
        optimiser: { memory: 1_073_741_824 },
      },
      allowedNetworks: ['10.0.0.0/8', 'fc00::/7'],
    })
  })

  it('takes the least memory that an Engine takes', () => {
    expect(withSettings(profile, ['dns.memory=6m'], services).services.dns?.memory).toBe(6_291_456)
  })

  it('takes a list with blanks in it and a comma at its end for what it names', () => {
    const settings = ['allowedNetworks=10.0.0.0/8, fc00::/7,', 'upstreamDns=']
    expect(withSettings(profile, settings, services)).toEqual({
      ...profile,
      allowedNetworks: ['10.0.0.0/8', 'fc00::/7'],
      upstreamDns: [],
    })
  })

  it('lays a service’s own settings over the profile, by the variables of the Compose file', () => {
    const site = { ...profile, services: { tunnel: { port: '29900', settings: { role: 'server' } } } }
    const variables = ['TUNNEL_ROLE', 'TUNNEL_KEY_FILE', 'TUNNEL_PORT', 'DNS_CACHE']
    const own = ['tunnel.role=client', 'tunnel.keyFile=/etc/acme/key']
    const wan = { memory: 6_291_456 }
    const before = { ...site, services: { ...site.services, wan } }
    expect(withSettings(before, own, ['dns', 'tunnel'], variables)).toEqual({
      ...profile,
      services: { tunnel: { port: '29900', settings: { role: 'client', keyFile: '/etc/acme/key' } }, wan },
    })
    expect(() => withSettings(site, ['tunnel.rolle=x'], ['tunnel'], variables)).toThrow(
      '--set tunnel.rolle=x is not understood; did you mean tunnel.role=…? Settings are tunnel.memory, tunnel.cache, tunnel.port, tunnel.restart, tunnel.keyFile, tunnel.role, allowedNetworks, upstreamDns.',
    )
  })

  it.each([
    [
      'dns.prot=1053',
      '--set dns.prot=1053 is not understood; did you mean dns.port=…? Settings are dns.memory, dns.cache, dns.port, dns.restart, optimiser.memory, optimiser.cache, optimiser.port, optimiser.restart, allowedNetworks, upstreamDns.',
    ],
    [
      'foo',
      '--set foo is not understood. Settings are dns.memory, dns.cache, dns.port, dns.restart, optimiser.memory, optimiser.cache, optimiser.port, optimiser.restart, allowedNetworks, upstreamDns.',
    ],
    [
      'dns.memory=lots',
      '--set dns.memory=lots: "lots" is no size; write one such as 512m or 2g, at least 6m.',
    ],
    ['dns.cache=', '--set dns.cache=: "" is not allowed; write a size such as 2g, or a number of entries.'],
    ['dns.memory=5m', '--set dns.memory=5m: "5m" is no size; write one such as 512m or 2g, at least 6m.'],
    [
      'dns.restart=maybe',
      '--set dns.restart=maybe: "maybe" is not allowed; write no, always, unless-stopped or on-failure:5.',
    ],
    ...['0', '65536', '999.1.1.1:53', '[::::]:53'].map((port) => [
      `dns.port=${port}`,
      `--set dns.port=${port}: "${port}" is not allowed; write a port from 1 to 65535, such as 53, or 192.0.2.1:53.`,
    ]),
    ...['10.0.0.1', '10.0.0.0/33', 'everybody', ''].map((network) => [
      `allowedNetworks=${network}`,
      `--set allowedNetworks=${network}: "${network}" is not allowed; write networks such as 10.0.0.0/8,fc00::/7.`,
    ]),
    [
      'upstreamDns=192.0.2.1,dns.example',
      '--set upstreamDns=192.0.2.1,dns.example: "dns.example" is not allowed; write IP addresses such as 192.0.2.53.',
    ],
    [
      '=1053',
      '--set =1053 is not understood. Settings are dns.memory, dns.cache, dns.port, dns.restart, optimiser.memory, optimiser.cache, optimiser.port, optimiser.restart, allowedNetworks, upstreamDns.',
    ],
    [
      'dns.port=http',
      '--set dns.port=http: "http" is not allowed; write a port from 1 to 65535, such as 53, or 192.0.2.1:53.',
    ],
    [
      'dns.port=192.0.2.1:65536',
      '--set dns.port=192.0.2.1:65536: "192.0.2.1:65536" is not allowed; write a port from 1 to 65535, such as 53, or 192.0.2.1:53.',
    ],
  ])('refuses %s with what is allowed', (setting = '', message) => {
    expect(() => withSettings(profile, [setting], services)).toThrow(message)
  })
})
