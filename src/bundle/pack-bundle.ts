import { createHash, type KeyObject } from 'node:crypto'
import { digestOf } from '../lib/digest.ts'
import { badInput } from '../lib/errors.ts'
import type { Platform } from '../lib/platform.ts'
import { limitsFault } from './check-limits.ts'
import { describeImage, type PackedImage } from './describe-image.ts'
import {
  type BundledImage,
  type BundleManifest,
  type BundleProduct,
  blobPath,
  bundleFormat,
  dockerManifestName,
  indexName,
  layoutName,
  manifestName,
  signatureName,
} from './format.ts'
import { keyId } from './key.ts'
import { dockerManifestFile, indexFile, layoutFile } from './layout-files.ts'
import { describeFile, type PackedFile, tarBytes, tarSize, textFile } from './packed-file.ts'
import { signBytes } from './sign.ts'
import { endSize } from './tar-block.ts'

/** What `install.sh` must know of the bundle that it lies beside. */
export interface BundleFacts {
  readonly product: BundleProduct
  readonly platform: Platform
  readonly kind: BundleManifest['kind']
  /** The file's own name. */
  readonly bundle: string
  /** The bytes at its beginning that `docker load` takes; 0 in an update where the installer is the same. */
  readonly prefix: { readonly size: number; readonly sha256: string }
  /** What the installer image is called in an Engine, the IDs that one may give it, its diff IDs; absent in a bundle without one. */
  readonly installer?: {
    readonly reference: string
    readonly ids: readonly string[]
    readonly layers: readonly string[]
  }
  /** Of an update: the release that it stands on, and by what an Engine may know that release's installer image. */
  readonly base?: { readonly version: string; readonly images: readonly string[] }
}

export interface BundleContent {
  readonly product: BundleProduct
  readonly platform: Platform
  /** ISO 8601, the lock's. */
  readonly date: string
  readonly images: readonly PackedImage[]
  /** The product's files, bills of materials, provenance. */
  readonly files: readonly PackedFile[]
  /** Makes what goes beside the bundle too, once its beginning is known: README, `install.sh` and `install.ps1`. */
  readonly beside: (facts: BundleFacts) => Promise<readonly PackedFile[]>
  /** The bundle that an update stands on: its `bundle.json` and that file's bytes. */
  readonly since?: { readonly manifest: BundleManifest; readonly bytes: Uint8Array }
}

/** A bundle that is ready to be written; nothing more is decided after this. */
export interface PackedBundle {
  readonly name: string
  readonly size: number
  readonly facts: BundleFacts
  readonly manifest: BundleManifest
  /** What goes beside it too. */
  readonly beside: readonly PackedFile[]
  /** Its bytes; the same whenever it is asked. */
  bytes(): AsyncGenerator<Uint8Array>
}

/**
 * Decides every byte of a bundle. The same content and, with ed25519, the same key give the same bytes: an ECDSA
 * signature holds a random number. Throws `unfit-bundle`, exit code 2, and what reading a layer throws.
 */
export async function packBundle(content: BundleContent, key?: KeyObject): Promise<PackedBundle> {
  const images = await describeImages(content)
  const installer = images.find(({ role }) => role === 'installer')
  const date = Math.floor(Date.parse(content.date) / 1000)
  const blobs = blobFiles(content, images)
  const beginning = installer ? prefixFiles(installer, content, blobs) : []
  const facts = await factsOf(content, installer, beginning, date)
  const beside = await content.beside(facts)
  const begun = new Set(beginning.map(({ path }) => path))
  const rest: PackedFile[] = [
    textFile(layoutName, layoutFile),
    textFile(indexName, indexFile({ images, platform: content.platform })),
    ...[...blobs.values()].filter(({ path }) => !begun.has(path)),
    ...content.files,
    ...beside,
  ]
  const manifest: BundleManifest = {
    format: bundleFormat,
    kind: facts.kind,
    ...(key && { key: keyId(key) }),
    product: content.product,
    platform: content.platform,
    date: content.date,
    ...(content.since && {
      since: { version: content.since.manifest.product.version, bundle: digestOf(content.since.bytes) },
    }),
    prefix: { files: beginning.length, size: facts.prefix.size },
    images,
    files: [...beginning, ...rest].map(describeFile),
  }
  const unfit = limitsFault(manifest)
  if (unfit)
    throw badInput(
      'unfit-bundle',
      `${facts.bundle} cannot be packed, because it ${unfit}; change that in the product directory and run the same command again.`,
    )
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)
  const own: PackedFile[] = [
    { path: manifestName, bytes },
    ...(key ? [textFile(signatureName, `${signBytes(key, bytes)}\n`)] : []),
  ]
  const all = [...beginning, ...own, ...rest]
  return {
    name: facts.bundle,
    size: all.reduce((sum, file) => sum + tarSize(file), endSize),
    facts,
    manifest,
    beside,
    async *bytes() {
      yield* tarBytes(all, date)
      yield new Uint8Array(endSize)
    },
  }
}

/** "acme-wan-1.2.0-linux-amd64.tar" */
function bundleName(
  { command, version }: BundleProduct,
  platform: Platform,
  since: BundleManifest | undefined,
): string {
  const stem = `${command}-${version}-${platform.replace('/', '-')}`
  return `${stem}${since ? `-since-${since.product.version}` : ''}.tar`
}

async function describeImages({ images, since }: BundleContent): Promise<BundledImage[]> {
  const described: BundledImage[] = []
  for (const image of images) described.push(await describeImage(image, since?.manifest))
  return described
}

/** Manifests, configurations and layers, each once, by path. */
function blobFiles(
  { images }: BundleContent,
  described: readonly BundledImage[],
): ReadonlyMap<string, PackedFile> {
  const present = new Set(
    described.flatMap(({ layers }) => layers.filter(({ absent }) => !absent)).map(({ digest }) => digest),
  )
  const blobs = new Map<string, PackedFile>()
  for (const { image } of images) {
    for (const { digest, bytes } of [image.manifest, image.config])
      blobs.set(blobPath(digest), { path: blobPath(digest), bytes })
    for (const { digest, file, size } of image.layers) {
      if (!present.has(digest)) continue
      const path = blobPath(digest)
      blobs.set(path, { path, file, size, sha256: digest.slice('sha256:'.length) })
    }
  }
  return blobs
}

/** The installer image alone, as `docker load` reads it; nothing where the host of an update has it already. */
function prefixFiles(
  installer: BundledImage,
  { since }: BundleContent,
  blobs: ReadonlyMap<string, PackedFile>,
): PackedFile[] {
  if (since?.manifest.images.some(({ config }) => config.digest === installer.config.digest)) return []
  const paths = [installer.config, ...installer.layers.filter(({ absent }) => !absent)].map(({ digest }) =>
    blobPath(digest),
  )
  return [
    textFile(dockerManifestName, dockerManifestFile(installer)),
    ...[...new Set(paths)].map((path) => blobs.get(path)!),
  ]
}

async function factsOf(
  { product, platform, since }: BundleContent,
  installer: BundledImage | undefined,
  beginning: readonly PackedFile[],
  date: number,
): Promise<BundleFacts> {
  const hash = createHash('sha256')
  for await (const chunk of tarBytes(beginning, date)) hash.update(chunk)
  return {
    product,
    platform,
    kind: since ? 'update' : 'full',
    bundle: bundleName(product, platform, since?.manifest),
    prefix: { size: beginning.reduce((sum, file) => sum + tarSize(file), 0), sha256: hash.digest('hex') },
    ...(installer && {
      installer: {
        reference: installer.reference,
        ids: [installer.config.digest, installer.manifest.digest],
        layers: installer.layers.map(({ diffId }) => diffId),
      },
    }),
    ...(since && { base: baseOf(since.manifest) }),
  }
}

function baseOf({ product, images }: BundleManifest): NonNullable<BundleFacts['base']> {
  const installer = images.find(({ role }) => role === 'installer')
  const named = installer ? [installer.config.digest, installer.manifest.digest, installer.reference] : []
  return { version: product.version, images: named }
}
