import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { type BundleManifest, lockPath, manifestName, signatureName } from '../../src/bundle/format.ts'
import { makeKeyPair } from '../../src/bundle/key.ts'
import { type BundleContent, packBundle } from '../../src/bundle/pack-bundle.ts'
import { textFile } from '../../src/bundle/packed-file.ts'
import { signBytes } from '../../src/bundle/sign.ts'
import { bundleHeader, endSize, paddingOf } from '../../src/bundle/tar-block.ts'
import { describe, jsonBlob } from '../../src/image/blob.ts'
import type { Image } from '../../src/image/image.ts'
import type { CachedLayer } from '../../src/image/layer-cache.ts'
import { mediaTypes } from '../../src/image/oci.ts'
import { digestOf, hexOf, sha256Hex } from '../../src/lib/digest.ts'
import type { LockedPackage, Lockfile } from '../../src/lock/lockfile.ts'
import { formatLock } from '../../src/lock/write-lock.ts'
import { tinyReleases } from './tiny-definition.ts'
import { makeTar, type TinyFile } from './tiny-tar.ts'

const pair = makeKeyPair('ed25519')
const otherPair = makeKeyPair('p256')

/** Keys that live as long as the tests do. */
export const tinyKey = createPrivateKey(pair.privatePem)
export const tinyPublicKey = createPublicKey(pair.publicPem)
export const tinyKeyId = pair.id
export const otherKey = createPrivateKey(otherPair.privatePem)
export const otherPublicKey = createPublicKey(otherPair.publicPem)
export const otherKeyId = otherPair.id

export interface TinyContent {
  readonly name?: string
  readonly version?: string
  /** Files of the brand's layer: what an update brings. */
  readonly brand?: readonly TinyFile[]
  /** Files of the lowest layer, beside the package database. */
  readonly base?: readonly TinyFile[]
  /** Package → version in the image, and in the lock where that is to differ. */
  readonly packages?: Readonly<Record<string, string>>
  readonly locked?: Readonly<Record<string, string>>
  /** Files of the product directory. */
  readonly product?: Readonly<Record<string, string>>
  readonly since?: BundleContent['since']
  readonly cmd?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
}

/** What a small bundle holds: an appliance of two layers, and an installer that shares the lower one. */
export async function tinyContent(folder: string, tiny: TinyContent = {}): Promise<BundleContent> {
  const { name = 'tiny', version = '1.0.0', packages = { libc6: '2.41-12' } } = tiny
  const status = Object.entries(packages).map(([one, found]) => `Package: ${one}\nVersion: ${found}\n`)
  const base = await tinyLayer(folder, 'base', [
    ...(tiny.base ?? []),
    { path: 'var/lib/dpkg/status', content: status.join('\n') },
  ])
  const brand = await tinyLayer(
    folder,
    'brand',
    tiny.brand ?? [{ path: 'etc/motd', content: `${name} ${version}\n` }],
  )
  const program = await tinyLayer(folder, 'installer-slipway', [
    { path: 'usr/lib/slipway', content: 'the program' },
  ])
  const product = tiny.product ?? {
    'appliance.yaml': `name: ${name}\n`,
    'profiles/site.yaml': 'description: A site\n',
  }
  const lock = formatLock(tinyLock(tiny.locked ?? packages))
  return {
    product: {
      name,
      version,
      command: name,
      vendor: 'Tiny & Sons',
      product: 'Tiny Box',
      support: 'help@tiny.example',
    },
    platform: 'linux/amd64',
    date: '2026-11-19T02:12:54Z',
    images: [
      { role: 'appliance', reference: `${name}:${version}`, image: tinyImage([base, brand], tiny) },
      { role: 'installer', reference: `${name}-installer:${version}`, image: tinyImage([base, program], {}) },
    ],
    files: [
      ...Object.entries(product).map(([file, text]) => textFile(`product/${file}`, text)),
      textFile(lockPath, lock),
      textFile('provenance.json', '{}\n'),
    ],
    beside: async () => [textFile('README.md', '# Tiny Box\n')],
    ...(tiny.since && { since: tiny.since }),
  }
}

/** Packs and signs a small bundle into a file; returns its path. */
export async function writeTinyBundle(
  folder: string,
  tiny: TinyContent = {},
  key: KeyObject | undefined = tinyKey,
): Promise<string> {
  return writeUnsigned(folder, await tinyContent(folder, tiny), key)
}

export async function writeUnsigned(
  folder: string,
  content: BundleContent,
  key?: KeyObject,
): Promise<string> {
  const bundle = await packBundle(content, key)
  const file = path.join(folder, bundle.name)
  await writeFile(file, await collect(bundle.bytes()))
  return file
}

export interface TinyEntry {
  path: string
  bytes: Buffer
  /** Changes the tar header; its checksum is made anew. */
  header?: (header: Buffer) => unknown
}

/** A bundle taken apart, to be put together wrongly. */
export function takeApart(bundle: Buffer): TinyEntry[] {
  const entries: TinyEntry[] = []
  for (let at = 0; bundle[at] !== 0; ) {
    const path = bundle.toString('latin1', at, bundle.indexOf(0, at))
    const size = Number.parseInt(bundle.toString('latin1', at + 124, at + 135), 8)
    entries.push({ path, bytes: bundle.subarray(at + 512, at + 512 + size) })
    at += 512 + size + paddingOf(size)
  }
  return entries
}

/** Puts entries together as they are, whatever they say. */
export function putTogether(entries: readonly TinyEntry[]): Buffer {
  const date = Date.parse('2026-11-19T02:12:54Z') / 1000
  const pieces = entries.flatMap(({ path, bytes, header: change }) => {
    const header = Buffer.from(bundleHeader('x', bytes.length, date))
    header.fill(0, 0, 100).write(path, 0)
    change?.(header)
    header.fill(0x20, 148, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, bytes, Buffer.alloc(paddingOf(bytes.length))]
  })
  return Buffer.concat([...pieces, Buffer.alloc(endSize)])
}

/** Makes `bundle.json` say what the entries are, changed by `change`, and signs that. */
export function seal(
  entries: readonly TinyEntry[],
  change: (manifest: BundleManifest) => unknown = (manifest) => manifest,
  key: KeyObject = tinyKey,
): TinyEntry[] {
  const own = [manifestName, signatureName]
  const old = JSON.parse(
    entries.find(({ path }) => path === manifestName)!.bytes.toString(),
  ) as BundleManifest
  const files = entries
    .filter(({ path }) => !own.includes(path))
    .map(({ path, bytes }) => ({ path, size: bytes.length, sha256: sha256Hex(bytes) }))
  const bytes = Buffer.from(`${JSON.stringify(change({ ...old, files }), null, 1)}\n`)
  const sealed: Record<string, Buffer> = {
    [manifestName]: bytes,
    [signatureName]: Buffer.from(`${signBytes(key, bytes)}\n`),
  }
  return entries.map((entry) => ({ ...entry, bytes: sealed[entry.path] ?? entry.bytes }))
}

export async function tinyLayer(
  folder: string,
  name: string,
  files: readonly TinyFile[],
): Promise<CachedLayer> {
  const tar = await makeTar(files)
  const blob = gzipSync(tar)
  const digest = digestOf(blob)
  const file = path.join(folder, hexOf(digest))
  await writeFile(file, blob)
  return { name, digest, size: blob.length, diffID: digestOf(tar), file, tree: async () => undefined }
}

function tinyImage(
  layers: readonly CachedLayer[],
  { cmd = ['/bin/sh'], labels = {} }: Pick<TinyContent, 'cmd' | 'labels'>,
): Image {
  const created = '2026-11-19T02:12:54Z'
  const config = jsonBlob({
    created,
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: cmd, Labels: labels },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
    history: layers.map(() => ({ created, created_by: 'test' })),
  })
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: describe(mediaTypes.config, config),
    layers: layers.map((layer) => describe(mediaTypes.layer, layer)),
  })
  return { platform: 'linux/amd64', layers, config, manifest }
}

function tinyLock(packages: Readonly<Record<string, string>>): Lockfile {
  return {
    lockVersion: 1,
    assemblyVersion: 1,
    definition: `sha256:${'0'.repeat(64)}`,
    date: '2026-11-19T02:12:54Z',
    archives: tinyReleases,
    platforms: {
      'linux/amd64': {
        packages: Object.entries(packages)
          .sort()
          .map(([name, version]): LockedPackage => tinyLocked(name, version)),
        excluded: [],
      },
    },
  }
}

function tinyLocked(name: string, version: string): LockedPackage {
  return {
    name,
    version,
    architecture: 'amd64',
    source: name,
    sourceVersion: version,
    suite: 'trixie',
    path: `pool/main/${name}.deb`,
    size: 1,
    sha256: createHash('sha256').update(`${name} ${version}`).digest('hex'),
    layer: 'base',
    needs: [],
  }
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}
