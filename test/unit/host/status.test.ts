import { describe, expect, it } from 'vitest'
import type { ContainerDocument } from '../../../src/engine/documents.ts'
import type { Engine, EngineEvent } from '../../../src/engine/engine.ts'
import { endingsOf, readEndings } from '../../../src/host/endings.ts'
import { readAllStatuses, readCacheUse, readPins } from '../../../src/host/status.ts'

describe('what a health check says of a cache', () => {
  it.each([
    [
      'Squid answers; cache 4096 of 1048576 bytes',
      { used: 4096, cap: 1_048_576, unit: 'bytes', atMost: false },
    ],
    ['dnsmasq answers; cache up to 12 of 5000 names', { used: 12, cap: 5000, unit: 'names', atMost: true }],
    ['cache 0 of 16 bytes', { used: 0, cap: 16, unit: 'bytes', atMost: false }],
    ['Squid answers', undefined],
    ['cache 4 of 5 bytes; and more', undefined],
    ['the cache 4 of 5 bytes', undefined],
  ])('%s', (said, use) => {
    expect(readCacheUse(said)).toEqual(use)
  })
})

describe('the label of pinned libraries', () => {
  it.each([
    ['{"openssl":"3.5.1-1"}', { openssl: '3.5.1-1' }],
    ['{"openssl":["3.5.1-1"]}', {}],
    ['[1]', {}],
    ['{', {}],
    [undefined, {}],
  ])('%s', (label, pins) => {
    expect(readPins(label)).toEqual(pins)
  })
})

const second = (text: string): number => Date.parse(`2026-11-20T12:00:${text}Z`)

function engineWith(events: readonly (readonly [string, string, string, string?])[]): Engine {
  async function* replay(): AsyncGenerator<EngineEvent> {
    for (const [at, id, action, exitCode] of events) {
      yield { type: 'container', action, id, time: second(at), attributes: exitCode ? { exitCode } : {} }
    }
  }
  return {
    events: replay,
    info: async () => ({ time: '2026-11-20T12:01:00Z' }),
  } as unknown as Engine
}

function container(State: Partial<ContainerDocument['State']>): ContainerDocument {
  return { Id: 'a', State } as ContainerDocument
}

describe('the ends of a service', () => {
  it('are those that the events tell of, with what ended it', async () => {
    const engine = engineWith([
      ['01', 'a', 'start'],
      ['02', 'a', 'oom'],
      ['02.1', 'a', 'die', '137'],
      ['03', 'stranger', 'die', '1'],
      ['04', 'a', 'die', '0'],
    ])
    const endings = await readEndings(engine, [{ id: 'a' }])
    expect([...endings]).toEqual([
      [
        'a',
        [
          { at: '2026-11-20T12:00:02.100Z', exitCode: 137, outOfMemory: true },
          { at: '2026-11-20T12:00:04.000Z', exitCode: 0, outOfMemory: false },
        ],
      ],
    ])
    const stopped = { Running: false, FinishedAt: '2026-11-20T12:00:03.9Z', ExitCode: 0, OOMKilled: false }
    expect(endingsOf(container(stopped), endings)).toHaveLength(2)
  })

  it('beyond the events’ memory are the last one that the container remembers', () => {
    const running = { Running: true, FinishedAt: '2026-11-19T00:00:00Z', ExitCode: 0, OOMKilled: true }
    expect(endingsOf(container(running), new Map())).toEqual([
      { at: '2026-11-19T00:00:00.000Z', outOfMemory: true },
    ])
    const stopped = { Running: false, FinishedAt: '2026-11-19T00:00:00Z', ExitCode: 3, OOMKilled: false }
    expect(endingsOf(container(stopped), new Map())).toEqual([
      { at: '2026-11-19T00:00:00.000Z', exitCode: 3, outOfMemory: false },
    ])
  })

  it('are none of a container that never ended', () => {
    const fresh = { Running: true, FinishedAt: '0001-01-01T00:00:00Z', ExitCode: 0, OOMKilled: false }
    expect(endingsOf(container(fresh), new Map())).toEqual([])
  })
})

describe('a status', () => {
  const labels = { 'io.slipway.appliance': 'acme', 'io.slipway.component': 'dns' }
  const failing = (state: string): Engine => {
    let asked = 0
    const listed = [{ id: 'a', labels, state: 'running', status: 'Up 1 second' }]
    return {
      ...engineWith([]),
      endpoint: { transport: 'unix' },
      containers: {
        list: async () => (asked++ === 0 ? listed : listed.map((one) => ({ ...one, state }))),
        inspect: async () => {
          throw new Error('stat /var/lib/docker/overlay2/x: no such file or directory')
        },
      },
    } as unknown as Engine
  }

  it('leaves out a container that another run is just removing', async () => {
    const engine = failing('removing')
    expect(await readAllStatuses(engine, await engine.containers.list())).toEqual([])
  })

  it('does not hide another error of the Engine', async () => {
    const engine = failing('running')
    const all = await engine.containers.list()
    await expect(readAllStatuses(engine, all)).rejects.toThrow('no such file')
  })

  /** Containers that have just been started, whose own checks pass. */
  const justStarted = (count: number): Engine => {
    const ids = Array.from({ length: count }, (_, index) => `id${index}`)
    const document = (Id: string) => ({
      Id,
      Name: `/${Id}`,
      Image: 'sha256:0',
      RestartCount: 0,
      Mounts: [],
      Config: { Labels: labels, Healthcheck: { Test: ['CMD', 'true'] } },
      HostConfig: {},
      State: {
        Status: 'running',
        Running: true,
        FinishedAt: '',
        Health: { Status: 'starting', FailingStreak: 0 },
      },
    })
    return {
      ...engineWith([]),
      endpoint: { transport: 'tcp' },
      containers: {
        list: async () =>
          ids.map((id) => ({ id, labels, state: 'running', status: 'Up 1 second (health: starting)' })),
        inspect: async (id: string) => document(id),
        exec: async () => ({ exitCode: 0, stdout: '', stderr: '' }),
        memory: async () => undefined,
      },
    } as unknown as Engine
  }

  it.each([
    [16, 'healthy'],
    [17, 'starting'],
  ])(
    'of %i services that have just started calls them %s: a host full of them is not asked one by one',
    async (count, health) => {
      const engine = justStarted(count)
      const [status] = await readAllStatuses(engine, await engine.containers.list())
      expect(status!.services.map((one) => one.health)).toEqual(Array(count).fill(health))
    },
  )
})
