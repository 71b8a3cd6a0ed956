import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeHolder, type MutexSight, parseHolder, whyFree } from '../../../src/host/mutex-judge.ts'
import type { RunIdentity } from '../../../src/host/run-identity.ts'

const here: RunIdentity = {
  user: 'root',
  host: 'host7',
  pid: 200,
  started: '5000',
  boot: 'boot-b',
  pidSpace: 'pid:[1]',
  machine: 'machine-m',
}
const since = Date.parse('2026-11-20T12:31:05Z')
const other: RunIdentity = { ...here, pid: 123 }

function sight(run: RunIdentity, change: Partial<MutexSight> = {}): MutexSight {
  const holder = { owner: 'o', verb: 'install', run }
  return { holder, since, lease: 300_000, now: since + 60_000, self: here, alive: undefined, ...change }
}

describe('a held mutex', () => {
  it('is its holder’s while that lives and is heard of', () => {
    expect(whyFree(sight(other, { alive: true }))).toBeUndefined()
  })

  it('is free once the process of its holder has ended', () => {
    expect(whyFree(sight(other, { alive: false }))).toBe('its process has ended')
  })

  it('is free once the machine of its holder has been restarted', () => {
    expect(whyFree(sight({ ...other, boot: 'boot-a' }))).toBe('its machine has been restarted since')
  })

  it('of another host is not judged by that host’s copied machine ID', () => {
    expect(whyFree(sight({ ...other, host: 'host8', boot: 'boot-a' }))).toBeUndefined()
  })

  it('is not taken for one of before a restart where a machine or its start is not known, or is another', () => {
    const { boot: _, ...nobodyKnows } = other
    expect(whyFree(sight(nobodyKnows))).toBeUndefined()
    const { machine: __, ...self } = here
    expect(whyFree(sight({ ...self, pid: 123, boot: 'boot-a' }, { self }))).toBeUndefined()
    expect(whyFree(sight({ ...other, boot: 'boot-a', machine: 'machine-n' }))).toBeUndefined()
  })

  it('of another container on the same host is not judged by its process ID', () => {
    expect(whyFree(sight({ ...other, pidSpace: 'pid:[2]' }, { alive: false }))).toBeUndefined()
  })

  it('is free at the end of its lease, also where the holder cannot be read', () => {
    const late = { now: since + 300_000 }
    const why = 'it has not been heard of since 2026-11-20 12:36:05 UTC'
    expect(whyFree(sight({ ...other, host: 'host8' }, late))).toBe(why)
    expect(whyFree(sight(other, { ...late, holder: undefined }))).toBe(why)
    expect(whyFree(sight(other, { holder: undefined }))).toBeUndefined()
  })

  it('is never free for a run elsewhere before the lease is over, and always after', () => {
    const text = fc.constantFrom('a', 'b', undefined)
    const anyRun = fc
      .record({ boot: text, pidSpace: text, machine: text })
      .map((facts) => ({ user: 'u', host: 'elsewhere', pid: 1, ...facts }) as RunIdentity)
    fc.assert(
      fc.property(anyRun, fc.integer({ min: 0, max: 600_000 }), fc.boolean(), (run, elapsed, alive) => {
        const free = whyFree(sight(run, { now: since + elapsed, alive })) !== undefined
        expect(free).toBe(elapsed >= 300_000)
      }),
    )
  })
})

describe('a holder in words', () => {
  it('is told with who, where and since when', () => {
    expect(describeHolder(sight(other))).toBe(
      'install, by root on host7 (process 123), since 2026-11-20 12:31:05 UTC (60 s ago)',
    )
    expect(describeHolder(sight(other, { now: since + 240_000 }))).toBe(
      'install, by root on host7 (process 123), since 2026-11-20 12:31:05 UTC (4 min ago)',
    )
    expect(describeHolder(sight(other, { holder: undefined }))).toBe(
      'an unknown run, since 2026-11-20 12:31:05 UTC (60 s ago)',
    )
  })

  it('is read from its label, and from nothing else', () => {
    const holder = { owner: 'o', verb: 'install', run: other }
    expect(parseHolder(JSON.stringify(holder))).toEqual(holder)
    for (const label of [
      undefined,
      '',
      'null',
      '{}',
      '[]',
      '{"owner":1,"verb":"x","run":{}}',
      '{"owner":"o"}',
      ...[{ user: 1 }, { host: 1 }, { pid: '1' }].map((odd) =>
        JSON.stringify({ ...holder, run: { ...other, ...odd } }),
      ),
      ...[{ owner: 1 }, { verb: 1 }].map((odd) => JSON.stringify({ ...holder, ...odd })),
    ]) {
      expect(parseHolder(label)).toBeUndefined()
    }
  })
})
