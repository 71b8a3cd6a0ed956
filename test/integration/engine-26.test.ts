import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HostStatus } from '../../src/host/status.ts'
import { builtImage } from '../support/built-image.ts'
import { type InnerEngine, startEngine26 } from '../support/engine-26.ts'
import { slipway } from '../support/slipway.ts'

const name = 'slipway-on-26'
const { layoutDirectory, productDirectory } = builtImage()
const settings = ['--profile', 'branch', '--set', 'dns.port=2053', '--set', 'optimiser.port=2128']

let inner: InnerEngine

beforeAll(async () => {
  inner = await startEngine26()
})

afterAll(() => inner?.remove())

const run = (...parameters: string[]) => slipway(['-C', productDirectory, ...parameters], { env: inner.env })

describe('Engine 26.1, in a container that Slipway built', () => {
  it('is spoken to over tcp in an API version that both know', () => {
    expect(inner.engine.version).toMatchObject({ engine: expect.stringMatching(/^26\.1\./), api: '1.45' })
  })

  it('takes the appliance, and a second install changes nothing', async () => {
    const first = await run('install', layoutDirectory, '--name', name, ...settings)
    expect(first).toMatchObject({ exitCode: 0 })
    const second = await run('plan', layoutDirectory, '--name', name, ...settings, '--json')
    expect(JSON.parse(second.stdout)).toMatchObject({ changes: [], steps: [] })
  })

  it('tells the state of its services', async () => {
    const { stdout, exitCode } = await run('status', '--name', name, '--json')
    const { services } = JSON.parse(stdout) as HostStatus
    expect({
      exitCode,
      services: services.map(({ service, state, health }) => [service, state, health]),
    }).toEqual({
      exitCode: 0,
      services: [
        ['dns', 'running', 'healthy'],
        ['optimiser', 'running', 'healthy'],
      ],
    })
  })

  it('has the appliance again after a crash of its own', async () => {
    await inner.restart()
    const again = await run('install', layoutDirectory, '--name', name, ...settings)
    expect(again).toMatchObject({ exitCode: 0 })
    expect((await run('status', '--name', name)).exitCode).toBe(0)
  })

  it('gives everything back', async () => {
    expect(await run('uninstall', '--name', name, '--yes')).toMatchObject({ exitCode: 0 })
    const { containers, volumes, networks } = inner.engine
    const left = [await containers.list(), await volumes.list(), await networks.list()].flat()
    expect(left.filter((one) => ('name' in one ? one.name : one.Name).startsWith(name))).toEqual([])
  })
})
