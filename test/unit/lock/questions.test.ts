import { describe, expect, it } from 'vitest'
import { diffLocks } from '../../../src/lock/diff-lock.ts'
import { findOutdated } from '../../../src/lock/outdated.ts'
import { resolveLock } from '../../../src/lock/resolve-lock.ts'
import { explainWhy } from '../../../src/lock/why.ts'
import { tinyArchiveView, tinyDefinition } from '../../support/tiny-definition.ts'

const lines = `
  sh 1; Essential: yes
  squid 6; Depends: libssl, certs, cron
  certs 1; Depends: openssl
  openssl 3.5.1; Depends: libssl
  libssl 3.5.1
  dns 2; Depends: libssl
  cron 3`
const archive = tinyArchiveView({ trixie: { amd64: lines } })
const definition = tinyDefinition(
  [
    { name: 'base', essential: true },
    { name: 'dns', packages: ['dns'] },
    { name: 'optimiser', packages: ['squid'] },
  ],
  { exclude: { cron: 'no timer' } },
)
const lock = resolveLock(definition, archive)

describe('why', () => {
  it('a package is there: the shortest way from each component that leads to it', () => {
    expect(explainWhy(lock, 'linux/amd64', 'libssl').chains).toEqual([
      { component: 'dns', packages: ['dns', 'libssl'] },
      { component: 'optimiser', packages: ['squid', 'libssl'] },
    ])
    expect(explainWhy(lock, 'linux/amd64', 'openssl').chains).toEqual([
      { component: 'optimiser', packages: ['squid', 'certs', 'openssl'] },
    ])
  })

  it('an Essential package is there for the base', () => {
    expect(explainWhy(lock, 'linux/amd64', 'sh').chains).toEqual([{ component: 'base', packages: ['sh'] }])
  })

  it('a package is left out, and what would bring it', () => {
    expect(explainWhy(lock, 'linux/amd64', 'cron')).toEqual({
      platform: 'linux/amd64',
      name: 'cron',
      excluded: { name: 'cron', version: '3', reason: 'no timer', neededBy: ['squid'] },
      chains: [{ component: 'optimiser', packages: ['squid', 'cron'] }],
    })
  })

  it('a name that is not locked is refused, with the nearest', () => {
    expect(() => explainWhy(lock, 'linux/amd64', 'opensll')).toThrow(
      'opensll is not in the lock for linux/amd64; near to it: openssl. Try: slipway why openssl',
    )
    expect(() => explainWhy(lock, 'linux/amd64', 'zzzzzzzz')).toThrow(
      'zzzzzzzz is not in the lock for linux/amd64; to see all that is: slipway sbom --platform linux/amd64',
    )
  })
})

const newer = tinyArchiveView({
  trixie: { amd64: lines.replace('dns 2', 'dns 2.1') },
  'trixie-security': { amd64: 'libssl 3.5.1+deb13u1\nlibssl 3.6\nsquid 6+deb13u1; Depends: libssl' },
})

describe('outdated', () => {
  it('names the newest version, its suite, whether it is a security fix, and the pin that holds it', () => {
    expect(findOutdated(lock, newer, { libssl: '3.5.*' })).toEqual([
      {
        ...{ platform: 'linux/amd64', name: 'dns', source: 'dns', version: '2', layer: 'dns' },
        ...{ newest: '2.1', suite: 'trixie', security: false },
      },
      {
        ...{ platform: 'linux/amd64', name: 'libssl', source: 'libssl', version: '3.5.1', layer: 'dns' },
        ...{ newest: '3.6', suite: 'trixie-security', security: true, heldBy: '3.5.*' },
      },
      {
        ...{ platform: 'linux/amd64', name: 'squid', source: 'squid', version: '6', layer: 'optimiser' },
        ...{ newest: '6+deb13u1', suite: 'trixie-security', security: true },
      },
    ])
  })

  it('is empty for a lock that is new', () => {
    expect(findOutdated(lock, archive, {})).toEqual([])
  })
})

describe('diffLocks', () => {
  const summary = (after = lock, before?: typeof lock) =>
    diffLocks(before, after).map(({ platform, changes, sizeBefore, sizeAfter }) => ({
      platform,
      changes: changes.map((change) => [
        change.name,
        change.before?.version,
        change.after?.version,
        change.after?.layer,
      ]),
      sizes: [sizeBefore, sizeAfter],
    }))

  it('tells what was added, removed, moved to another version or another layer', () => {
    const after = resolveLock({ ...definition, pins: { libssl: '3.5.*' } }, newer, {
      previous: lock,
      update: ['squid'],
    })
    expect(summary(after, lock)).toEqual([
      {
        platform: 'linux/amd64',
        changes: [
          ['certs', '1', undefined, undefined],
          ['dns', '2', '2.1', 'dns'],
          ['libssl', '3.5.1', '3.5.1', 'libraries'],
          ['openssl', '3.5.1', undefined, undefined],
          ['squid', '6', '6+deb13u1', 'optimiser'],
        ],
        sizes: [6000, 4000],
      },
    ])
  })

  it('without a lock before, all is added; between equal locks, nothing', () => {
    expect(diffLocks(undefined, lock)[0]!.changes.map(({ name }) => name)).toEqual([
      ...['certs', 'dns', 'libssl', 'openssl', 'sh', 'squid'],
    ])
    expect(summary(lock, lock)).toEqual([{ platform: 'linux/amd64', changes: [], sizes: [6000, 6000] }])
  })
})
