import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  mirrorCandidates,
  parseListFile,
  parseMirrorList,
  parseSourcesFile,
  readAptSources,
} from '../../../src/debian/apt-sources.ts'
import { findMirror, mirrorKind, snapshotTime } from '../../../src/debian/mirrors.ts'
import type { DebianSource } from '../../../src/debian/source.ts'

describe('a .sources file', () => {
  it('gives its enabled sources of binary packages', () => {
    const text = `# the main archive
Types: deb deb-src
URIs: http://mirror.example/debian/
 http://second.example/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF

Types: deb-src
URIs: http://mirror.example/debian
Suites: trixie
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
`
    for (const written of [text, text.replaceAll('\n', '\r\n')]) {
      expect(parseSourcesFile(written, 'debian.sources')).toEqual([
        {
          uris: ['http://mirror.example/debian', 'http://second.example/debian'],
          suites: ['trixie', 'trixie-updates'],
          components: ['main', 'contrib'],
        },
      ])
    }
  })
})

describe('a .list file', () => {
  it('gives its deb lines, without options and comments', () => {
    const text = `# deb http://off.example/debian trixie main
deb http://mirror.example/debian/ trixie main contrib # ours
deb [ arch=amd64 signed-by=/usr/share/keyrings/a.gpg ] https://other.example/debian trixie-updates main
  deb [trusted=yes] http://flat.example/debs ./
deb-src http://mirror.example/debian trixie main
debit nothing
`
    for (const written of [text, text.replaceAll('\n', '\r\n')]) {
      expect(parseListFile(written)).toEqual([
        { uris: ['http://mirror.example/debian'], suites: ['trixie'], components: ['main', 'contrib'] },
        { uris: ['https://other.example/debian'], suites: ['trixie-updates'], components: ['main'] },
        { uris: ['http://flat.example/debs'], suites: ['./'], components: [] },
      ])
    }
  })
})

describe('a mirror list', () => {
  it('gives its addresses, the lowest priority number first', () => {
    const text = `# nearest last
http://far.example/debian
http://second.example/debian/\tpriority:2 arch:amd64
http://first.example/debian\tpriority:1
`
    expect(parseMirrorList(text)).toEqual([
      'http://first.example/debian',
      'http://second.example/debian',
      'http://far.example/debian',
    ])
  })
})

describe('the mirrors among the sources of a host', () => {
  const source = (uri: string, ...suites: string[]) => ({ uris: [uri], suites, components: ['main'] })

  it('are its http addresses, those that name the suite first, those of a Debian archive next', () => {
    const sources = [
      source('https://tools.example/apt', 'nodistro'),
      source('http://mirror.example/debian', 'bookworm', 'bookworm-updates'),
      source('http://new.example/mirror', 'trixie'),
      source('http://mirror.example/debian-security', 'bookworm-security'),
      source('file:/srv/debian', 'trixie'),
      source('cdrom:[Debian]', 'trixie'),
      source('http://flat.example/debs', './'),
    ]
    expect(mirrorCandidates(sources, 'trixie')).toEqual({
      main: ['http://new.example/mirror', 'http://mirror.example/debian', 'https://tools.example/apt'],
      security: ['http://mirror.example/debian-security'],
    })
  })

  it('may serve both archives from one address', () => {
    const sources = [source('http://mirror.example/all', 'trixie', 'trixie-security')]
    expect(mirrorCandidates(sources, 'trixie')).toEqual({
      main: ['http://mirror.example/all'],
      security: ['http://mirror.example/all'],
    })
  })
})

describe('the folder of apt', () => {
  let folder: string
  const definition: DebianSource = {
    suite: 'trixie',
    archiveComponents: ['main'],
    updates: true,
    security: true,
    snapshots: [],
    keyrings: [],
  }

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-apt-'))
    await mkdir(path.join(folder, 'sources.list.d'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  it('is read as apt reads it: sources.list, then the folder by name, mirror+file resolved, the broken passed over', async () => {
    const list = path.join(folder, 'mirrors.list')
    const put = (name: string, text: string) => writeFile(path.join(folder, name), text)
    await put('sources.list', 'deb http://first.example/debian trixie main\n')
    await put('sources.list.d/b.list', 'deb http://third.example/debian trixie main\n')
    await put(
      'sources.list.d/a.sources',
      `Types: deb\nURIs: mirror+${pathToFileURL(list)}\nSuites: trixie\nComponents: main\n`,
    )
    await put('sources.list.d/c.sources', 'this is no control file\n')
    await put('sources.list.d/d.list.disabled', 'deb http://off.example/debian trixie main\n')
    await writeFile(list, 'http://second.example/debian/\n')
    const sources = await readAptSources(folder)
    expect(sources.flatMap(({ uris }) => uris)).toEqual([
      'http://first.example/debian',
      'http://second.example/debian',
      'http://third.example/debian',
    ])
  })

  it('may be absent', async () => {
    expect(await readAptSources(path.join(folder, 'nowhere'))).toEqual([])
  })

  it('is asked last: the definition decides, then the environment', async () => {
    await writeFile(path.join(folder, 'sources.list'), 'deb http://apt.example/debian trixie main\n')
    const env = { SLIPWAY_MIRROR: 'http://env.example/debian/' }
    const named = { ...definition, mirror: 'http://named.example/debian' }
    const find = (from: DebianSource, given: NodeJS.ProcessEnv) =>
      findMirror('main', from, { env: given, aptFolder: folder })
    expect(await Promise.all([find(named, env), find(definition, env), find(definition, {})])).toEqual([
      { kind: 'main', urls: ['http://named.example/debian'], found: false },
      { kind: 'main', urls: ['http://env.example/debian'], found: false },
      { kind: 'main', urls: ['http://apt.example/debian'], found: true },
    ])
  })

  it('with no security source is an error that says what to set', async () => {
    await writeFile(path.join(folder, 'sources.list'), 'deb http://apt.example/debian trixie main\n')
    await expect(findMirror('security', definition, { env: {}, aptFolder: folder })).rejects.toThrow(
      "It is not known where Debian's security archive is: the definition names no debian.securityMirror, and this host's apt sources have none; set debian.securityMirror in appliance.yaml, or SLIPWAY_SECURITY_MIRROR.",
    )
  })

  it('is no matter when an address that was set is none', async () => {
    const env = { SLIPWAY_MIRROR: 'ftp://env.example/debian' }
    await expect(findMirror('main', definition, { env, aptFolder: folder })).rejects.toThrow(
      '"ftp://env.example/debian" (SLIPWAY_MIRROR) is not an http or https address; correct it.',
    )
  })
})

it('a suite named -security is served by the security mirror', () => {
  expect(['trixie', 'trixie-updates', 'trixie-security'].map(mirrorKind)).toEqual([
    'main',
    'main',
    'security',
  ])
})

it('an address with a moment in it is a snapshot', () => {
  expect(
    [
      'http://s.example/archive/debian/20260101T000000Z',
      'http://s.example/archive/debian/20260101T000000Z/',
      'http://s.example/20260101/debian',
    ].map(snapshotTime),
  ).toEqual(['20260101T000000Z', '20260101T000000Z', undefined])
})
