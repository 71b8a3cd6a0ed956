import { expect, it } from 'vitest'
import type { ContainerDocument } from '../../../src/engine/documents.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { readServiceAccess } from '../../../src/host/service-access.ts'

/** An Engine that has not looked at its two services yet, and remembers whose check it was told to run. */
function engineWith(running: Readonly<Record<string, boolean>>) {
  const checked: string[] = []
  const document = (id: string): ContainerDocument =>
    ({
      Id: id,
      Name: `/wan-${id}-1`,
      State: { Running: running[id], Health: { Status: running[id] ? 'starting' : 'unhealthy' } },
      Config: {
        Labels: { 'io.slipway.component': id, ...(id === 'dns' && { 'io.slipway.serves': 'dns' }) },
        Healthcheck: { Test: ['CMD', '/health'] },
      },
      HostConfig: { PortBindings: { '53/udp': [{ HostIp: '', HostPort: '53' }] } },
    }) as unknown as ContainerDocument
  const containers = {
    list: async () => [
      ...Object.keys(running).map((id) => ({ id, name: `wan-${id}-1`, labels: {} })),
      { id: 'state', name: 'wan-state', labels: { 'io.slipway.role': 'state' } },
    ],
    inspect: async (id: string) => document(id),
    exec: async (id: string) => {
      checked.push(id)
      return { exitCode: 0, stdout: '', stderr: '' }
    },
  }
  return { engine: { containers } as unknown as Engine, checked }
}

const port = { ip: '', port: 53, protocol: 'udp' }
const proxy = { service: 'proxy', container: 'wan-proxy-1', health: 'healthy', ports: [port] }
const dns = { service: 'dns', container: 'wan-dns-1', health: 'healthy', ports: [port], serves: 'dns' }

it('of services at which the Engine has not looked yet is told by their own check', async () => {
  const { engine, checked } = engineWith({ proxy: true, dns: true })
  expect(await readServiceAccess(engine, 'wan')).toEqual([dns, proxy])
  expect(checked.sort()).toEqual(['dns', 'proxy'])
})

it('asks nobody anew who was just seen to pass, and believes it of none that has ended since', async () => {
  const { engine, checked } = engineWith({ proxy: true, dns: false })
  const passed = new Set(['wan-proxy-1', 'wan-dns-1'])
  expect(await readServiceAccess(engine, 'wan', passed)).toEqual([{ ...dns, health: 'unhealthy' }, proxy])
  expect(checked).toEqual([])
})
