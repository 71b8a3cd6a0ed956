import { describe, expect, it } from 'vitest'
import { readAccess } from '../../../../src/cli/demo/appliance-access.ts'
import { replaceServers } from '../../../../src/cli/demo/forward.ts'
import type { ContainerDocument, PortBinding } from '../../../../src/engine/documents.ts'

function container(id: string, bindings: Record<string, PortBinding[]>): ContainerDocument {
  return {
    Id: id,
    HostConfig: { PortBindings: bindings },
    NetworkSettings: { Networks: { lan: { Gateway: '172.18.0.1' } } },
  } as unknown as ContainerDocument
}

describe('the way to an installed appliance', () => {
  const dns = container('d', { '53/udp': [{ HostIp: '', HostPort: '5353' }] })

  it('each service is found by the port it publishes; "everywhere" is reached on the loopback', () => {
    const optimiser = container('o', { '3128/tcp': [{ HostIp: '192.0.2.7', HostPort: '3128' }] })
    expect(readAccess([optimiser, dns], 'reference')).toEqual({
      names: { address: '127.0.0.1', port: 5353 },
      namesContainer: 'd',
      proxy: { address: '192.0.2.7', port: 3128 },
      gateway: '172.18.0.1',
    })
  })

  it('no container and no published port each have their sentence', () => {
    expect(() => readAccess([], 'reference')).toThrow(
      'No container of reference runs here; start it with: slipway install.',
    )
    expect(() => readAccess([dns], 'reference')).toThrow(
      'No running container of reference publishes 3128/tcp; give the profile a port for it, then run: slipway install.',
    )
  })
})

describe('the servers file', () => {
  it('lines of the zone are replaced, those of other zones kept', () => {
    const text = 'server=/other.example/192.0.2.1\nserver=/wan.example/172.18.0.1#1\n'
    expect(replaceServers(text, 'wan.example', ['server=/wan.example/172.18.0.1#2'])).toBe(
      'server=/other.example/192.0.2.1\nserver=/wan.example/172.18.0.1#2\n',
    )
    expect(replaceServers(text, 'wan.example', [])).toBe('server=/other.example/192.0.2.1\n')
    expect(replaceServers('', 'wan.example', [])).toBe('')
  })
})
