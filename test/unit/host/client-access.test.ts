import type { NetworkInterfaceInfo } from 'node:os'
import { describe, expect, it } from 'vitest'
import { clientAccess, hostAddresses } from '../../../src/host/client-access.ts'

const port = (ip: string, number: number, protocol = 'tcp') => ({ ip, port: number, protocol })

describe('what clients are given', () => {
  it('is every address of the host where a port is published on all', () => {
    const services = [
      { serves: 'dns', ports: [port('0.0.0.0', 53, 'udp'), port('0.0.0.0', 53)] },
      { serves: 'proxy', ports: [port('', 3128)] },
      { ports: [port('0.0.0.0', 9000)] },
    ]
    expect(clientAccess(services, ['192.0.2.7', '198.51.100.7'])).toEqual({
      addresses: ['192.0.2.7', '198.51.100.7'],
      nameServers: ['192.0.2.7:53', '198.51.100.7:53'],
      proxies: ['192.0.2.7:3128', '198.51.100.7:3128'],
    })
  })

  it('is the one address that a port is published on', () => {
    const services = [{ serves: 'proxy', ports: [port('2001:db8::7', 3128)] }]
    expect(clientAccess(services, ['192.0.2.7']).proxies).toEqual(['[2001:db8::7]:3128'])
  })
})

describe('an address that somebody says clients reach', () => {
  it('counts for a port published on one address too', () => {
    const services = [{ serves: 'proxy', ports: [port('192.0.2.7', 3128)] }]
    expect(clientAccess(services, ['proxy.acme.example'], true).proxies).toEqual(['proxy.acme.example:3128'])
  })
})

describe('the addresses of the host', () => {
  const address = (text: string, more: Partial<NetworkInterfaceInfo> = {}) =>
    ({ address: text, family: 'IPv4', internal: false, ...more }) as NetworkInterfaceInfo
  const interfaces = {
    lo: [address('127.0.0.1', { internal: true })],
    docker0: [address('172.17.0.1')],
    'br-1234': [address('172.18.0.1')],
    eth0: [address('192.0.2.7'), address('2001:db8::7', { family: 'IPv6' } as never)],
    wlan0: [address('198.51.100.7')],
  }

  it('are those that lead outward', () => {
    expect(hostAddresses({}, {}, interfaces)).toEqual(['192.0.2.7', '198.51.100.7'])
    expect(hostAddresses({}, {}, { lo: interfaces.lo })).toEqual(['127.0.0.1'])
  })

  it('are neither those of a switch inside a Windows host nor those that an interface gave itself', () => {
    const windows = {
      'vEthernet (WSL (Hyper-V firewall))': [address('172.24.16.1')],
      'vEthernet (Default Switch)': [address('172.20.0.1')],
      'Ethernet 2': [address('169.254.3.4')],
      'vEthernet (Extern)': [address('192.0.2.7')],
    }
    expect(hostAddresses({}, {}, windows)).toEqual(['192.0.2.7'])
  })

  it("are the remote Engine's, or those that the command outside knows", () => {
    expect(hostAddresses({ host: 'branch.example' }, {}, interfaces)).toEqual(['branch.example'])
    const env = { SLIPWAY_HOST_ADDRESSES: '203.0.113.9, rubbish 203.0.113.10' }
    expect(hostAddresses({}, env, interfaces)).toEqual(['203.0.113.9', '203.0.113.10'])
  })
})
