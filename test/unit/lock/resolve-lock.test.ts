import { describe, expect, it } from 'vitest'
import type { Platform } from '../../../src/lib/platform.ts'
import type { Lockfile } from '../../../src/lock/lockfile.ts'
import { resolveLock } from '../../../src/lock/resolve-lock.ts'
import { tinyArchiveView, tinyDefinition, tinyReleases } from '../../support/tiny-definition.ts'

const lines = `
  libc6 2.41
  bash 5.2; Essential: yes; Pre-Depends: libc6
  libssl3 3.5.1; Source: openssl; Depends: libc6
  openssl 3.5.1; Depends: libssl3 (>= 3.5)
  dnsmasq-base 2.91; Depends: libc6, libnettle8
  libnettle8 3.10
  squid 6.13-1+b2; Source: squid (6.13-1); Depends: libssl3, libnettle8, logrotate
  logrotate 3.22
  dnsmasq 2.91`
const archive = tinyArchiveView({ trixie: { amd64: lines } })
const definition = tinyDefinition(
  [
    { name: 'base', essential: true },
    { name: 'libraries', packages: ['openssl'] },
    { name: 'dns', packages: ['dnsmasq-base'] },
    { name: 'optimiser', packages: ['squid'] },
    { name: 'brand' },
  ],
  { exclude: { logrotate: 'The Engine keeps the log.' } },
)

const versions = (lock: Lockfile, platform: Platform = 'linux/amd64'): string[] =>
  lock.platforms[platform]!.packages.map(({ name, version }) => `${name} ${version}`)
const layers = (lock: Lockfile): string[] =>
  lock.platforms['linux/amd64']!.packages.map(({ name, layer }) => `${layer}: ${name}`)

describe('resolveLock', () => {
  const lock = resolveLock(definition, archive)

  it('refuses to leave out what nobody asks for and the archive does not have, and nothing else', () => {
    const excluding = (...names: string[]) =>
      resolveLock(
        {
          ...definition,
          exclude: Object.fromEntries(['logrotate', ...names].map((name) => [name, 'A reason in words.'])),
        },
        archive,
      ).platforms['linux/amd64']!.excluded!.map(({ name }) => name)
    expect(() => excluding('bahs')).toThrow(
      'exclude names bahs, which no package asks for and the archive does not have; near to it: bash. Correct it, or take it away: what a parent names, with an empty value.',
    )
    expect(excluding('dnsmasq')).toEqual(['logrotate'])
  })

  it('says where every byte comes from, and is dated by the newest InRelease', () => {
    const { lockVersion, assemblyVersion, date, archives } = lock
    expect({ lockVersion, assemblyVersion, date, archives }).toEqual({
      lockVersion: 1,
      assemblyVersion: 2,
      date: '2026-11-19T02:12:54Z',
      archives: tinyReleases,
    })
    expect(lock.platforms['linux/amd64']!.packages.at(-1)).toEqual({
      name: 'squid',
      version: '6.13-1+b2',
      architecture: 'amd64',
      source: 'squid',
      sourceVersion: '6.13-1',
      suite: 'trixie',
      path: 'pool/main/s/squid/squid_6.13-1+b2_amd64.deb',
      size: 1000,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      layer: 'optimiser',
      requestedBy: ['optimiser'],
      needs: ['libnettle8', 'libssl3'],
    })
    expect(lock.platforms['linux/amd64']!.excluded).toEqual([
      { name: 'logrotate', version: '3.22', reason: 'The Engine keeps the log.', neededBy: ['squid'] },
    ])
  })

  it('a package lands in the first layer that needs it, ordered by layer, then by name', () => {
    expect(layers(lock)).toEqual([
      'base: bash',
      'base: libc6',
      'libraries: libssl3',
      'libraries: openssl',
      'dns: dnsmasq-base',
      'dns: libnettle8',
      'optimiser: squid',
    ])
  })

  it('a pinned package lands in libraries, whoever needs it, with what only it needs', () => {
    const pinned = resolveLock({ ...definition, pins: { libc6: '2.*', libnettle8: '3.10' } }, archive)
    expect(layers(pinned)).toEqual([
      'base: bash',
      'libraries: libc6',
      'libraries: libnettle8',
      'libraries: libssl3',
      'libraries: openssl',
      'dns: dnsmasq-base',
      'optimiser: squid',
    ])
  })

  it('is the same whatever order components, packages and platforms are listed in', () => {
    const turned = { ...definition, components: definition.components.toReversed() }
    expect(resolveLock(turned, archive)).toEqual(lock)
  })
})

describe('a lock that is made anew', () => {
  const before = resolveLock(definition, archive)
  const fixes = `
    libssl3 3.5.1+deb13u1; Source: openssl; Depends: libc6
    openssl 3.5.1+deb13u1; Depends: libssl3 (>= 3.5.1+)
    libnettle8 3.10+deb13u1; Depends: libc6 (>= 2.41+)
    libc6 2.41+deb13u1`
  const newer = tinyArchiveView({ trixie: { amd64: lines }, 'trixie-security': { amd64: fixes } })
  const changed = (update?: readonly string[] | 'all') => {
    const after = resolveLock(definition, newer, { previous: before, ...(update ? { update } : {}) })
    return versions(after).filter((one) => !versions(before).includes(one))
  }

  it('keeps every version, and stays the same object, where nothing is to move', () => {
    expect(resolveLock(definition, newer, { previous: before })).toBe(before)
  })

  it.each([
    ['provider', 'app 1; Depends: mta\naexim 1; Provides: mta', 'bexim 1; Provides: mta'],
    ['earlier alternative', 'app 1; Depends: first | second\nsecond 1', 'first 1'],
  ])('keeps what it has where the archive gets another %s', (_, had, got) => {
    const tiny = tinyDefinition([{ name: 'base', packages: ['app'] }])
    const previous = resolveLock(tiny, tinyArchiveView({ trixie: { amd64: had } }))
    const grown = tinyArchiveView({ trixie: { amd64: `${had}\n${got}` } })
    expect(resolveLock(tiny, grown, { previous })).toBe(previous)
    expect(versions(resolveLock(tiny, grown, { previous, update: 'all' })).toString()).toContain(
      got.split(';')[0],
    )
  })

  it('moves a package, what comes from its source, and nothing else', () => {
    expect(changed(['openssl'])).toEqual(['libssl3 3.5.1+deb13u1', 'openssl 3.5.1+deb13u1'])
    expect(changed(['libssl3'])).toEqual(['libssl3 3.5.1+deb13u1', 'openssl 3.5.1+deb13u1'])
  })

  it('moves what the updated package drags along', () => {
    expect(changed(['libnettle8'])).toEqual(['libc6 2.41+deb13u1', 'libnettle8 3.10+deb13u1'])
  })

  it('moves everything when told to', () => {
    expect(changed('all')).toEqual([
      'libc6 2.41+deb13u1',
      'libssl3 3.5.1+deb13u1',
      'openssl 3.5.1+deb13u1',
      'libnettle8 3.10+deb13u1',
    ])
  })

  it('moves a package whose locked version the archive no longer has', () => {
    const gone = lines.replace('dnsmasq-base 2.91', 'dnsmasq-base 2.92')
    const after = resolveLock(definition, tinyArchiveView({ trixie: { amd64: gone } }), { previous: before })
    expect(versions(after)).toContain('dnsmasq-base 2.92')
  })

  it('refuses to update what is not locked, with the nearest name', () => {
    expect(() => changed(['opensll'])).toThrow(
      'There is nothing to update: opensll is not in the lock; near to it: openssl. To move them all: slipway lock --update',
    )
  })
})

describe('several platforms', () => {
  const both = { ...definition, platforms: ['linux/arm64', 'linux/amd64'] as const }
  const fix = 'libnettle8 3.10+deb13u1; Source: nettle'
  const old = lines.replace('libnettle8 3.10', 'libnettle8 3.10; Source: nettle')
  const skewed = tinyArchiveView({
    trixie: { amd64: old, arm64: old.replace('+b2', '+b1') },
    'trixie-security': { amd64: fix },
  })

  it('a rebuild for one of them is no difference', () => {
    const even = tinyArchiveView({ trixie: { amd64: lines, arm64: lines.replace('+b2', '+b1') } })
    const lock = resolveLock(both, even)
    expect([versions(lock).at(-1), versions(lock, 'linux/arm64').at(-1)]).toEqual([
      'squid 6.13-1+b2',
      'squid 6.13-1+b1',
    ])
  })

  it('a fix that one of them does not have yet is refused, and told', () => {
    expect(() => resolveLock(both, skewed)).toThrow(
      'The archive does not have the same versions for all platforms: nettle is 3.10+deb13u1 for linux/amd64 and 3.10 for linux/arm64. Wait until it has, pin the older one, or accept it: slipway lock --arch-skew',
    )
  })

  it('unless the difference is accepted', () => {
    const lock = resolveLock(both, skewed, { archSkew: true })
    expect(versions(lock)).toContain('libnettle8 3.10+deb13u1')
    expect(versions(lock, 'linux/arm64')).toContain('libnettle8 3.10')
  })

  it('a platform that lagged behind catches up once the archive has it for all', () => {
    const before = resolveLock(both, skewed, { archSkew: true })
    const even = tinyArchiveView({
      trixie: { amd64: old, arm64: old.replace('+b2', '+b1') },
      'trixie-security': { amd64: fix, arm64: fix },
    })
    const after = resolveLock(both, even, { previous: before })
    expect(versions(after, 'linux/arm64')).toContain('libnettle8 3.10+deb13u1')
    expect(after.platforms['linux/amd64']).toEqual(before.platforms['linux/amd64'])
  })

  it('the locked versions are kept until all have the fix', () => {
    const before = resolveLock(
      both,
      tinyArchiveView({ trixie: { amd64: old, arm64: old.replace('+b2', '+b1') } }),
    )
    expect(resolveLock(both, skewed, { previous: before })).toBe(before)
  })
})
