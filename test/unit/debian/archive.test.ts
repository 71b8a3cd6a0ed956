import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ArchiveOptions, openArchive } from '../../../src/debian/archive.ts'
import type { DebianSource } from '../../../src/debian/source.ts'
import { cacheFolder } from '../../../src/lib/cache.ts'
import { digestOf } from '../../../src/lib/digest.ts'
import type { ProgressEvent } from '../../../src/lib/progress.ts'
import { ArchiveServer } from '../../support/archive-server.ts'
import { makeArchive, makeKey, type TinyKey, type TinySuite } from '../../support/tiny-archive.ts'

const now = new Date('2026-03-10T12:00:00Z')
const date = new Date('2026-03-10T06:00:00Z')
const release: TinySuite = {
  codename: 'trixie',
  date,
  validUntil: null,
  packages: [
    { name: 'openssl', version: '3.0-1', architecture: 'amd64', fields: { Depends: 'base (>= 1)' } },
    { name: 'openssl', version: '3.0-1', architecture: 'arm64' },
    { name: 'base', version: '1' },
  ],
}
const updates: TinySuite = { codename: 'trixie-updates', date, packages: [{ name: 'base', version: '2' }] }
const security: TinySuite = {
  codename: 'trixie-security',
  date,
  pool: 'pool/updates/main',
  packages: [{ name: 'openssl', version: '3.0-1+deb13u1', architecture: 'amd64' }],
}

let key: TinyKey
let folder: string
let server: ArchiveServer

beforeAll(async () => {
  key = await makeKey('Archive')
})

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-archive-'))
  await serve([release, updates, security])
})

afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

async function serve(suites: readonly TinySuite[], keys: readonly TinyKey[] = [key]): Promise<void> {
  await server?.close()
  const archive = await makeArchive(suites, keys)
  server = await ArchiveServer.start(archive.files)
  await writeFile(path.join(folder, 'key.asc'), key.armored)
}

const source = (changes: Partial<DebianSource> = {}): DebianSource => ({
  suite: 'trixie',
  archiveComponents: ['main'],
  updates: true,
  security: true,
  mirror: server.url,
  securityMirror: `${server.url}/`,
  snapshots: [],
  keyrings: [path.join(folder, 'key.asc')],
  ...changes,
})

const options = (changes: Partial<ArchiveOptions> = {}): ArchiveOptions => ({
  architectures: ['amd64', 'arm64'],
  cache: cacheFolder({ SLIPWAY_CACHE: path.join(folder, 'cache') }),
  now,
  env: {},
  aptFolder: path.join(folder, 'apt'),
  download: { attempts: 2, backoff: 1, stallTimeout: 15_000, connectTimeout: 15_000 },
  ...changes,
})

const refusal = (from = source(), how = options()) =>
  openArchive(from, how).then(
    () => 'accepted',
    (error) => [error.code, error.message],
  )

const cached = () => readdir(path.join(folder, 'cache', 'archive')).catch(() => [])
const indexRequests = () => server.paths.filter((name) => !name.endsWith('InRelease'))

describe('an archive', () => {
  it('is opened from its signatures down: the state of each suite, and what it offers', async () => {
    const archive = await openArchive(source(), options())
    const file = (suite: string) => digestOf(server.files.get(`dists/${suite}/InRelease`)!)
    expect(archive.releases).toEqual([
      {
        suite: 'trixie',
        mirror: 'main',
        inRelease: file('trixie'),
        date: '2026-03-10T06:00:00Z',
        signedBy: [key.fingerprint],
      },
      {
        suite: 'trixie-updates',
        mirror: 'main',
        inRelease: file('trixie-updates'),
        date: '2026-03-10T06:00:00Z',
        validUntil: '2026-03-17T06:00:00Z',
        signedBy: [key.fingerprint],
      },
      {
        suite: 'trixie-security',
        mirror: 'security',
        inRelease: file('trixie-security'),
        date: '2026-03-10T06:00:00Z',
        validUntil: '2026-03-17T06:00:00Z',
        signedBy: [key.fingerprint],
      },
    ])
    const offered = ['amd64', 'arm64'].map((architecture) =>
      [...archive.index(architecture).packages()].map((one) => [one.name, one.version, one.suite, one.path]),
    )
    expect(offered).toEqual([
      [
        [
          'openssl',
          '3.0-1+deb13u1',
          'trixie-security',
          'pool/updates/main/o/openssl/openssl_3.0-1+deb13u1_amd64.deb',
        ],
        ['openssl', '3.0-1', 'trixie', 'pool/main/o/openssl/openssl_3.0-1_amd64.deb'],
        ['base', '2', 'trixie-updates', 'pool/main/b/base/base_2_all.deb'],
        ['base', '1', 'trixie', 'pool/main/b/base/base_1_all.deb'],
      ],
      [
        ['openssl', '3.0-1', 'trixie', 'pool/main/o/openssl/openssl_3.0-1_arm64.deb'],
        ['base', '2', 'trixie-updates', 'pool/main/b/base/base_2_all.deb'],
        ['base', '1', 'trixie', 'pool/main/b/base/base_1_all.deb'],
      ],
    ])
  })

  it('is read without updates and security where the definition says so', async () => {
    const archive = await openArchive(source({ updates: false, security: false }), options())
    expect(archive.releases.map(({ suite }) => suite)).toEqual(['trixie'])
  })

  it('gives its indexes by hash, xz first, and each only once', async () => {
    await openArchive(source(), options())
    expect(indexRequests().every((name) => /\/by-hash\/SHA256\/[0-9a-f]{64}$/.test(name))).toBe(true)
    // The indexes of trixie-updates are the same for both architectures.
    expect((await cached()).map((name) => path.extname(name))).toEqual(Array(5).fill('.xz'))
    const asked = server.requests.length
    const again = await openArchive(source(), options())
    expect(server.paths.slice(asked).sort()).toEqual(
      ['trixie', 'trixie-security', 'trixie-updates'].map((suite) => `dists/${suite}/InRelease`).sort(),
    )
    expect(again.index('amd64').named('base')).toHaveLength(2)
  })

  it('without Acquire-By-Hash, or with a by-hash file gone, gives its indexes by name', async () => {
    await serve([{ ...release, acquireByHash: false }])
    const only = source({ updates: false, security: false })
    await openArchive(only, options({ architectures: ['amd64'] }))
    expect(indexRequests()).toEqual(['dists/trixie/main/binary-amd64/Packages.xz'])

    await serve([release])
    for (const name of server.files.keys()) if (name.includes('by-hash')) server.files.delete(name)
    const fresh = cacheFolder({ SLIPWAY_CACHE: path.join(folder, 'other') })
    await openArchive(
      source({ updates: false, security: false }),
      options({ architectures: ['amd64'], cache: fresh }),
    )
    expect(indexRequests().at(-1)).toBe('dists/trixie/main/binary-amd64/Packages.xz')
  })

  it('whose packages of architecture all stand apart is read with their index', async () => {
    const edit = (text: string) => text.replace('No-Support-for-Architecture-all: Packages\n', '')
    await serve([{ ...release, architectures: ['amd64', 'all'], acquireByHash: false, edit }])
    await openArchive(source({ updates: false, security: false }), options({ architectures: ['amd64'] }))
    expect(indexRequests().sort()).toEqual([
      'dists/trixie/main/binary-all/Packages.xz',
      'dists/trixie/main/binary-amd64/Packages.xz',
    ])
  })

  it('heals an index that was damaged in the cache', async () => {
    await openArchive(source(), options())
    for (const name of await cached()) {
      const file = path.join(folder, 'cache', 'archive', name)
      await writeFile(file, Buffer.alloc((await stat(file)).size, 'x'))
    }
    const archive = await openArchive(source(), options())
    expect(
      archive
        .index('amd64')
        .named('openssl')
        .map((one) => one.version),
    ).toEqual(['3.0-1+deb13u1', '3.0-1'])
  })

  it('tells the bytes of its indexes as they come', async () => {
    const events: ProgressEvent[] = []
    await openArchive(source(), options({ report: (event) => events.push(event) }))
    const start = events.find((event) => event.type === 'start')
    const bytes = events.reduce((sum, event) => sum + (event.type === 'advance' ? event.by : 0), 0)
    expect(start).toMatchObject({ task: 'Packages indexes', total: bytes, unit: 'bytes' })
  })

  it('of a snapshot waives Valid-Until, in words', async () => {
    const old = new Date('2025-06-01T00:00:00Z')
    await serve([{ ...security, codename: 'trixie', date: old }])
    const at = '/archive/20250601T000000Z'
    const snapshot = source({ updates: false, security: false, mirror: `${server.url}${at}` })
    for (const [name, data] of [...server.files]) server.files.set(`${at.slice(1)}/${name}`, data)
    const { releases } = await openArchive(snapshot, options())
    expect(releases[0]).toMatchObject({
      validUntil: '2025-06-08T00:00:00Z',
      validUntilWaived: 'Valid-Until is not enforced: the mirror is a snapshot of 20250601T000000Z.',
    })
  })
})

describe('an archive is refused, and nothing of it kept,', () => {
  it('when its mirror is behind', async () => {
    await serve([release, updates, { ...security, date: new Date('2026-03-01T00:00:00Z') }])
    expect(await refusal()).toEqual([
      'release-expired',
      `The InRelease of trixie-security at ${server.url}/dists/trixie-security/InRelease was valid until 2026-03-08T00:00:00.000Z and it is 2026-03-10T12:00:00.000Z: the mirror is behind, or something holds updates back; set another mirror, or this machine's clock.`,
    ])
    expect(await cached()).toEqual([])
  })

  it('when its security suite has no Valid-Until', async () => {
    await serve([release, updates, { ...security, validUntil: null }])
    expect((await refusal())[0]).toBe('no-valid-until')
  })

  it('when an index on the mirror is another than the signed one', async () => {
    const only = source({ updates: false, security: false })
    for (const [name, data] of server.files) {
      if (name.includes('binary-amd64') && name.startsWith('dists/trixie/')) {
        server.files.set(name, Buffer.alloc(data.length, 'x'))
      }
    }
    expect(await refusal(only, options({ architectures: ['amd64'] }))).toEqual([
      'wrong-hash',
      `The file that ${new URL(server.url).host} serves for trixie/main/binary-amd64/Packages.xz has another SHA-256 than the signed index says, so it is refused; try again later, or set another mirror (debian.mirror in appliance.yaml, or SLIPWAY_MIRROR).`,
    ])
    expect(await cached()).toEqual([])
  })

  it('when the mirror does not have the suite', async () => {
    expect(await refusal(source({ suite: 'forky' }))).toEqual([
      'not-found',
      `There is no suite forky at ${server.url} (${server.url}/dists/forky/InRelease answers 404); correct debian.suite in appliance.yaml, or set another mirror (debian.mirror there, or SLIPWAY_MIRROR).`,
    ])
  })

  it('when the definition asks for an archive component that it does not have', async () => {
    expect(await refusal(source({ archiveComponents: ['main', 'non-fre'] }))).toEqual([
      'no-such-component',
      'trixie has no "non-fre" (it has main); correct debian.archiveComponents in appliance.yaml.',
    ])
  })

  it('when it has no packages for an architecture', async () => {
    expect(await refusal(source(), options({ architectures: ['riscv64'] }))).toEqual([
      'no-such-architecture',
      'trixie has no packages for riscv64 (it has all, amd64, arm64); correct platforms in appliance.yaml.',
    ])
  })

  it('when no keyring is named, or none is there', async () => {
    expect(await refusal(source({ keyrings: [] }))).toEqual([
      'bad-keyring',
      "No keyring is named, so nothing from an archive can be trusted; name the archive's public keys under debian.keyrings in appliance.yaml.",
    ])
    const missing = path.join(folder, 'no.asc')
    expect(await refusal(source({ keyrings: [missing] }))).toEqual([
      'bad-keyring',
      `The keyring ${missing} is not there; correct debian.keyrings in appliance.yaml.`,
    ])
    expect(server.paths).toEqual([])
  })
})

describe('without a mirror in the definition', () => {
  const unnamed = () => {
    const { mirror: _, securityMirror: __, ...rest } = source()
    return rest
  }
  const writeSources = async (text: string): Promise<void> => {
    await mkdir(path.join(folder, 'apt', 'sources.list.d'), { recursive: true })
    await writeFile(path.join(folder, 'apt', 'sources.list.d', 'host.sources'), text)
  }
  const entry = (uri: string, suites: string) =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\n\n`

  it('the environment names it', async () => {
    const env = { SLIPWAY_MIRROR: server.url, SLIPWAY_SECURITY_MIRROR: server.url }
    expect(await refusal(unnamed(), options({ env }))).toBe('accepted')
  })

  it("the apt sources of the host name it, other vendors' among them or not", async () => {
    const vendor = await ArchiveServer.start(
      (await makeArchive([{ ...release, packages: [] }], [await makeKey('Vendor')])).files,
    )
    await writeSources(
      entry(`${vendor.url}-tools`, 'nodistro') +
        entry(vendor.url, 'bookworm') +
        entry(`${server.url}/`, 'bookworm bookworm-updates bookworm-security'),
    )
    const archive = await openArchive(unnamed(), options())
    await vendor.close()
    expect(vendor.paths).toContain('dists/trixie/InRelease')
    expect(archive.index('amd64').named('openssl')).toHaveLength(2)
  })

  it('it is an error that says what to set when the host has no apt sources', async () => {
    expect(await refusal(unnamed())).toEqual([
      'no-mirror',
      "It is not known where Debian's archive is: the definition names no debian.mirror, and this host's apt sources have none; set debian.mirror in appliance.yaml, or SLIPWAY_MIRROR.",
    ])
  })

  it("it is an error that says why when none of the host's apt sources serves the suite", async () => {
    await writeSources(entry(server.url, 'noble noble-security'))
    expect(await refusal({ ...unnamed(), suite: 'forky' })).toEqual([
      'no-mirror',
      `None of this host's apt sources serves forky; set debian.mirror in appliance.yaml, or SLIPWAY_MIRROR. There is no suite forky at ${server.url} (${server.url}/dists/forky/InRelease answers 404); correct debian.suite in appliance.yaml, or set another mirror (debian.mirror there, or SLIPWAY_MIRROR).`,
    ])
  })

  it("an altered InRelease on the host's mirror is not passed over for the next", async () => {
    await writeSources(entry(server.url, 'trixie trixie-security'))
    const file = server.files.get('dists/trixie/InRelease')!
    server.files.set(
      'dists/trixie/InRelease',
      Buffer.from(Buffer.from(file).toString().replace('Tiny', 'Tine')),
    )
    expect((await refusal(unnamed()))[0]).toBe('bad-signature')
  })
})
