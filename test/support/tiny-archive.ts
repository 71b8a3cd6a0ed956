import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import * as openpgp from 'openpgp'
import { debFileName, makeDeb, packagesStanza, type TinyPackage } from './tiny-deb.ts'
import { storeXz } from './tiny-xz.ts'

/** A Debian archive made for a test, signed with a key made for it. */
export interface TinyArchive {
  /** Below the mirror's root: "dists/trixie/InRelease", "pool/main/…". */
  readonly files: Map<string, Buffer>
  /** Armored public key. */
  readonly keyring: string
}

export interface TinySuite {
  readonly codename: string
  /** Field Suite; "stable…" unless told. */
  readonly suite?: string
  readonly packages: readonly TinyPackage[]
  readonly architectures?: readonly string[]
  readonly date?: Date
  /** A week after `date` unless told; `null` leaves the field out. */
  readonly validUntil?: Date | null
  readonly acquireByHash?: boolean
  /** "pool/main" unless told. */
  readonly pool?: string
  /** Changes the Release text before it is signed. */
  readonly edit?: (release: string) => string
}

export interface TinyKey {
  readonly privateKey: openpgp.PrivateKey
  readonly armored: string
  /** Upper-case hex. */
  readonly fingerprint: string
}

/** A signing key, valid for `lifetime` seconds from `date`; with `subkey` a subkey signs, as with Debian's own. */
export async function makeKey(
  name: string,
  options: { date?: Date; lifetime?: number; subkey?: boolean } = {},
): Promise<TinyKey> {
  const { privateKey } = await openpgp.generateKey({
    userIDs: [{ name, email: `${name.toLowerCase().replace(/\W/g, '')}@mirror.example` }],
    format: 'object',
    date: options.date ?? new Date('2025-01-01T00:00:00Z'),
    keyExpirationTime: options.lifetime ?? 0,
    subkeys: options.subkey ? [{ sign: true }] : [],
  })
  return {
    privateKey,
    armored: privateKey.toPublic().armor(),
    fingerprint: privateKey.getFingerprint().toUpperCase(),
  }
}

/** Clear-signs a Release text with each key, at `date`. */
export async function signRelease(
  text: string,
  keys: readonly TinyKey[],
  date = new Date(),
): Promise<string> {
  const message = await openpgp.createCleartextMessage({ text })
  return openpgp.sign({ message, signingKeys: keys.map((key) => key.privateKey), date })
}

/** An archive of these suites, the files of each in `pool`, under one root. */
export async function makeArchive(
  suites: readonly TinySuite[],
  keys: readonly TinyKey[],
): Promise<TinyArchive> {
  const files = new Map<string, Buffer>()
  for (const suite of suites) await addSuite(files, suite, keys)
  return { files, keyring: keys.map((key) => key.armored).join('\n') }
}

async function addSuite(
  files: Map<string, Buffer>,
  suite: TinySuite,
  keys: readonly TinyKey[],
): Promise<void> {
  const architectures = suite.architectures ?? ['amd64', 'arm64']
  const stanzas = new Map<string, string[]>(architectures.map((architecture) => [architecture, []]))
  for (const tiny of suite.packages) {
    const deb = await makeDeb(tiny)
    const path = `${suite.pool ?? 'pool/main'}/${tiny.name[0]}/${tiny.name}/${debFileName(tiny)}`
    files.set(path, deb)
    for (const architecture of architectures) {
      if (['all', architecture].includes(tiny.architecture ?? 'all'))
        stanzas.get(architecture)?.push(packagesStanza(tiny, deb, path))
    }
  }

  const folder = `dists/${suite.codename}`
  const listed: string[] = []
  for (const [architecture, list] of stanzas) {
    const packages = Buffer.from(list.join('\n'))
    const place = `main/binary-${architecture}`
    for (const [name, data] of [
      ['Packages', packages],
      ['Packages.gz', gzipSync(packages)],
      ['Packages.xz', storeXz(packages)],
    ] as const) {
      const sha256 = createHash('sha256').update(data).digest('hex')
      listed.push(` ${sha256} ${String(data.length).padStart(8)} ${place}/${name}`)
      if (name === 'Packages') continue
      files.set(`${folder}/${place}/${name}`, data)
      if (suite.acquireByHash !== false) files.set(`${folder}/${place}/by-hash/SHA256/${sha256}`, data)
    }
  }
  const date = suite.date ?? new Date()
  const text = releaseText(suite, date, architectures, listed)
  files.set(`${folder}/InRelease`, Buffer.from(await signRelease(suite.edit?.(text) ?? text, keys, date)))
}

function releaseText(
  suite: TinySuite,
  date: Date,
  architectures: readonly string[],
  listed: readonly string[],
): string {
  const validUntil =
    suite.validUntil === undefined ? new Date(date.getTime() + 7 * 24 * 3600 * 1000) : suite.validUntil
  return [
    'Origin: Tiny',
    'Label: Tiny',
    `Suite: ${suite.suite ?? suite.codename.replace(/^[a-z]+/, 'stable')}`,
    `Codename: ${suite.codename}`,
    `Date: ${releaseDate(date)}`,
    ...(validUntil ? [`Valid-Until: ${releaseDate(validUntil)}`] : []),
    ...(suite.acquireByHash === false ? [] : ['Acquire-By-Hash: yes']),
    'No-Support-for-Architecture-all: Packages',
    `Architectures: all ${architectures.join(' ')}`,
    'Components: main',
    'Description: An archive made for a test',
    'SHA256:',
    ...listed,
    '',
  ].join('\n')
}

/** "Thu, 19 Nov 2026 02:12:54 UTC", as a Release file writes it. */
export function releaseDate(date: Date): string {
  return date.toUTCString().replace('GMT', 'UTC')
}
