import { stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Archive, openArchive } from '../../src/debian/archive.ts'
import { fetchDebs } from '../../src/debian/deb-store.ts'
import { downloadBytes } from '../../src/debian/download.ts'
import { findMirror, type MirrorKind } from '../../src/debian/mirrors.ts'
import type { DebianSource } from '../../src/debian/source.ts'
import { cacheFolder } from '../../src/lib/cache.ts'
import { digestOf } from '../../src/lib/digest.ts'
import { sha256OfFile } from '../../src/lib/file-digest.ts'
import type { ProgressEvent } from '../../src/lib/progress.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository } from '../support/slipway.ts'
import { makeKey } from '../support/tiny-archive.ts'

const keyrings = ['debian-13.asc', 'debian-12.asc'].map((name) =>
  path.join(repository, 'images/keyrings', name),
)
const source: DebianSource = {
  suite: 'trixie',
  archiveComponents: ['main'],
  updates: true,
  security: true,
  snapshots: [],
  keyrings,
}
/** Of the package debian-archive-keyring, which every Debian has. */
const hostKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const architectures = ['amd64', 'arm64']

describe('the real archive, found through the apt sources of this host,', () => {
  let scratch: Scratch
  let archive: Archive
  const cache = () => cacheFolder({ SLIPWAY_CACHE: path.join(scratch.path, 'cache') })

  beforeAll(async () => {
    scratch = await makeScratch('real-archive')
    archive = await openArchive(source, { architectures, cache: cache() })
  })

  afterAll(() => scratch.remove())

  it('is signed, in each of its suites, by the keys that gpgv finds good under the keyring of the host', async () => {
    const judged = await Promise.all(
      [
        ['trixie', 'main'],
        ['trixie-updates', 'main'],
        ['trixie-security', 'security'],
      ].map(async ([suite, mirror]) => {
        const [root] = (await findMirror(mirror as MirrorKind, source)).urls
        const url = `${root}/dists/${suite}/InRelease`
        const data = await downloadBytes({ url, name: 'InRelease', limit: 1_000_000 }, { env: process.env })
        const file = path.join(scratch.path, `${suite}.InRelease`)
        await writeFile(file, data)
        const { stdout } = await execa('gpgv', ['--status-fd', '1', '--keyring', hostKeyring, file])
        const primaries = [...stdout.matchAll(/ VALIDSIG .* ([0-9A-F]{40})$/gm)].map((match) => match[1])
        return { suite, mirror, inRelease: digestOf(data), signedBy: primaries.sort() }
      }),
    )
    expect(archive.releases).toMatchObject(judged)
  })

  it('offers both architectures what the appliance is made of', () => {
    for (const architecture of architectures) {
      const index = archive.index(architecture)
      const missing = ['squid-openssl', 'dnsmasq-base', 'openssl', 'base-files', 'libc6', 'tzdata'].filter(
        (name) => index.named(name).length === 0,
      )
      expect(missing).toEqual([])
      expect([...index.names()].length).toBeGreaterThan(50_000)
    }
  })

  it('is not downloaded again while it is unchanged', async () => {
    const events: ProgressEvent[] = []
    const again = await openArchive(source, {
      architectures,
      cache: cache(),
      report: (event) => events.push(event),
    })
    expect(again.releases).toEqual(archive.releases)
    expect(events).toEqual([])
  })

  it('gives .debs of both mirrors that dpkg-deb can read', async () => {
    const packages = [...archive.index('arm64').packages()]
    const small = (suite: string) =>
      packages.filter((one) => one.suite === suite).reduce((a, b) => (b.size < a.size ? b : a))
    const debs = [small('trixie'), small('trixie-security')]
    const files = await fetchDebs(debs, source, { cache: cache() })
    for (const deb of debs) {
      const file = files.get(deb.sha256)!
      expect(await sha256OfFile(file)).toBe(deb.sha256)
      expect((await stat(file)).size).toBe(deb.size)
      const { stdout } = await execa('dpkg-deb', ['--show', file])
      expect(stdout).toBe(`${deb.name}\t${deb.version}`)
    }
  })

  it('is refused under a keyring that has not signed it', async () => {
    const { armored } = await makeKey('Stranger')
    const keyring = path.join(scratch.path, 'stranger.asc')
    await writeFile(keyring, armored)
    await expect(
      openArchive({ ...source, keyrings: [keyring] }, { architectures, cache: cache() }),
    ).rejects.toThrow(
      /is signed by [0-9A-F, ]+, and that key is not in .*stranger\.asc; if you trust this archive/,
    )
  })
})
