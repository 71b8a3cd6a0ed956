import { describe, expect, it } from 'vitest'
import type { BinaryPackage } from '../../../src/debian/package.ts'
import { parsePackages } from '../../../src/debian/packages-index.ts'
import type { ProductSources, TreeRule } from '../../../src/definition/sources/source.ts'
import { diffLocks } from '../../../src/lock/diff-lock.ts'
import { parseLock } from '../../../src/lock/read-lock.ts'
import { resolveLock } from '../../../src/lock/resolve-lock.ts'
import { staleReasons } from '../../../src/lock/stale.ts'
import { explainWhy } from '../../../src/lock/why.ts'
import { formatLock } from '../../../src/lock/write-lock.ts'
import { caught } from '../../support/caught.ts'
import { tinyArchiveView, tinyDefinition } from '../../support/tiny-definition.ts'

const rule: TreeRule = {
  kind: 'tarball',
  path: 'images/acme/data.tar.gz',
  target: '/opt/acme',
  strip: 0,
  owner: 'root',
  group: 'root',
  modes: [],
}
const local = (version: string, hash: string): BinaryPackage =>
  parsePackages(
    `Package: agent\nVersion: ${version}\nArchitecture: amd64\nDepends: libssl\nFilename: images/acme/agent.deb\nSize: 7\nSHA256: ${hash.repeat(64)}\n`,
    'local',
  )[0]!
const sourcesOf = (hash = 'a', data = 'd'): ProductSources => ({
  debs: [{ component: 'acme', package: local('1.2', hash) }],
  trees: [{ component: 'acme', rule, size: 9, sha256: data.repeat(64), entries: async () => [] }],
})
const archive = tinyArchiveView({ trixie: { amd64: 'sh 1; Essential: yes\nlibssl 3\nagent 9' } })
const definition = tinyDefinition([
  { name: 'base', essential: true },
  { name: 'acme', layer: 'dns', sources: [{ kind: 'deb', path: 'images/acme/agent.deb' }, rule] },
])
const lock = resolveLock(definition, archive, { sources: sourcesOf() })

describe('a lock of a product with sources', () => {
  it('takes the local package, whatever the archive has, and what it needs from there', () => {
    const { packages } = lock.platforms['linux/amd64']!
    expect(packages.map(({ name, version, suite, layer }) => `${name} ${version} ${suite} ${layer}`)).toEqual(
      ['sh 1 trixie base', 'agent 1.2 local dns', 'libssl 3 trixie dns'],
    )
  })

  it('reads as it was written', () => {
    expect(parseLock(formatLock(lock), 'appliance.lock')).toEqual(lock)
  })

  it('is stale when a package or an archive changed, came or went', () => {
    expect(staleReasons(definition, lock, sourcesOf())).toEqual([])
    expect(staleReasons(definition, lock, sourcesOf('b', 'e'))).toEqual([
      'images/acme/agent.deb has changed since it was locked',
      'images/acme/data.tar.gz has changed since it was locked',
    ])
    const less = { debs: [], trees: [] }
    expect(staleReasons(definition, lock, less)).toEqual([
      'acme no longer asks for agent',
      'images/acme/agent.deb is no longer among the sources',
      'images/acme/data.tar.gz of acme is no longer among the sources',
    ])
  })

  it('names an archive once that goes to two places, and is not stale by it', () => {
    const [tree] = sourcesOf().trees
    const twice = { ...sourcesOf(), trees: [tree!, { ...tree!, rule: { ...rule, target: '/srv/acme' } }] }
    const after = resolveLock(definition, archive, { sources: twice })
    expect(after.platforms['linux/amd64']!.sources).toHaveLength(1)
    expect(staleReasons(definition, after, twice)).toEqual([])
  })

  it('moves to other bytes of the same version', () => {
    const after = resolveLock(definition, archive, { previous: lock, sources: sourcesOf('b', 'e') })
    const [diff] = diffLocks(lock, after)
    expect(diff!.changes.map(({ name, after: now }) => `${name} ${now!.sha256[0]}`)).toEqual(['agent b'])
    expect(diff!.sources).toEqual([
      {
        path: 'images/acme/data.tar.gz',
        before: expect.objectContaining({ sha256: 'd'.repeat(64) }),
        after: expect.objectContaining({ sha256: 'e'.repeat(64) }),
      },
    ])
  })

  it('says why an archive is there, by its path or its name, and which scripts of a package run', () => {
    expect(explainWhy(lock, 'linux/amd64', 'data.tar.gz')).toMatchObject({
      source: { path: 'images/acme/data.tar.gz', component: 'acme' },
      chains: [{ component: 'acme', packages: ['images/acme/data.tar.gz'] }],
    })
    const run = { package: 'agent', version: '1.2', script: 'postinst', sha256: 'f'.repeat(64) } as const
    const ran = { ...lock, platforms: { 'linux/amd64': { ...lock.platforms['linux/amd64']!, runs: [run] } } }
    expect(explainWhy(ran, 'linux/amd64', 'agent').runs).toEqual([run])
    expect(parseLock(formatLock(ran), 'appliance.lock')).toEqual(ran)
  })

  it('names no script of a package that it does not hold', () => {
    const run = { package: 'ghost', version: '1', script: 'postinst', sha256: 'f'.repeat(64) } as const
    const ran = { ...lock, platforms: { 'linux/amd64': { ...lock.platforms['linux/amd64']!, runs: [run] } } }
    expect(caught(() => parseLock(formatLock(ran), 'appliance.lock')).message).toContain(
      'in linux/amd64, a script of ghost runs, which is not locked',
    )
  })
})
