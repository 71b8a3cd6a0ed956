import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { commandName } from '../lib/command-name.ts'
import { type Digest, digestOf, hexOf } from '../lib/digest.ts'
import { badInput, errorCode, SlipwayError } from '../lib/errors.ts'
import type { Platform } from '../lib/platform.ts'
import { checkedBlob } from './checked-blob.ts'
import type { ImageSource } from './image-source.ts'
import type { Descriptor, ImageConfig, Index, Manifest } from './oci.ts'

/**
 * Opens the image of one platform in an OCI image layout directory (OCI image-spec, image-layout.md), through nested
 * indexes. Every blob is held against its digest when it is read. Throws `no-layout`, `bad-layout`, `no-platform`,
 * `bad-blob`.
 */
export async function readLayout(directory: string, platform: Platform): Promise<ImageSource> {
  const found = new Set<string>()
  for await (const image of imagesIn(directory)) {
    if (image.platform === platform) return sourceOf(directory, platform, image)
    found.add(image.platform)
  }
  throw new SlipwayError(
    'no-platform',
    `${directory} holds no image for ${platform} (it has ${[...found].join(', ') || 'none'}); \`${commandName()} build --platform ${platform}\` makes one.`,
  )
}

/** The platforms that a layout has images for. Throws what `readLayout` throws. */
export async function layoutPlatforms(directory: string): Promise<Set<string>> {
  const found = new Set<string>()
  for await (const { platform } of imagesIn(directory)) found.add(platform)
  return found
}

interface FoundImage {
  readonly platform: string
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly config: ImageConfig
}

async function* imagesIn(directory: string): AsyncGenerator<FoundImage> {
  const index = await readIndexFile(directory)
  const pending: Descriptor[] = [...index.manifests]
  while (pending.length > 0) {
    const descriptor = pending.shift()!
    if (descriptor.mediaType.includes('image.index')) {
      pending.unshift(...(await readJson<Index>(directory, descriptor)).manifests)
      continue
    }
    const manifest = await readJson<Manifest>(directory, descriptor)
    // A referrer (SBOM, provenance) has no image configuration.
    if (!manifest.config?.mediaType.includes('image.config')) continue
    const config = await readJson<ImageConfig>(directory, manifest.config)
    yield { platform: `${config.os}/${config.architecture}`, descriptor, manifest, config }
  }
}

/** The documents of one type that refer to an image of a layout (OCI image-spec 1.1, manifest.md, "subject"). */
export async function layoutReferrers(
  directory: string,
  { digest }: Descriptor,
  artifactType: string,
): Promise<Uint8Array[]> {
  const found: Uint8Array[] = []
  for (const descriptor of (await readIndexFile(directory)).manifests) {
    if (descriptor.artifactType !== artifactType) continue
    const { subject, layers } = await readJson<Manifest>(directory, descriptor)
    if (subject?.digest !== digest) continue
    for (const layer of layers) found.push(await readLayoutBlob(directory, layer))
  }
  return found
}

/** Reads a blob of a layout whole; throws `bad-blob` where its bytes are not those of its digest. */
export async function readLayoutBlob(directory: string, blob: Descriptor): Promise<Uint8Array> {
  const file = blobFile(directory, blob.digest)
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(file, error)
  })
  if (bytes.length !== blob.size || digestOf(bytes) !== blob.digest) throw badBlob(file)
  return bytes
}

function sourceOf(
  directory: string,
  platform: Platform,
  { descriptor, manifest, config }: FoundImage,
): ImageSource {
  const { mediaType, digest, size } = descriptor
  const diffIds = config.rootfs.diff_ids
  if (manifest.layers.length !== diffIds.length) {
    throw badInput(
      'bad-layout',
      `${directory}: the image for ${platform} has ${manifest.layers.length} layers and ${diffIds.length} diff IDs; ${anew}`,
    )
  }
  return {
    platform,
    manifest: { mediaType, digest, size },
    config: manifest.config,
    layers: manifest.layers.map((layer, index) => ({ ...layer, diffId: diffIds[index]! })),
    labels: config.config?.Labels ?? {},
    open: (blob) => openBlobFile(blobFile(directory, blob.digest), blob),
  }
}

/**
 * A blob's bytes from a file; the stream fails at its end where they are not those of the digest. `advice` ends its
 * sentence.
 */
export function openBlobFile(file: string, blob: Descriptor, advice: string = anew): Readable {
  const read = createReadStream(file, { highWaterMark: 1 << 20 })
  const checked = checkedBlob(blob, () => badBlob(file, advice))
  read.once('error', (error) => checked.destroy(unreadable(file, error, advice)))
  return pipeline(read, checked, () => {})
}

/** The layout's own index.json. */
export async function readIndexFile(directory: string): Promise<Index> {
  const file = path.join(directory, 'index.json')
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) throw error
    throw badInput(
      'no-layout',
      `${directory} is no OCI image layout (it has no index.json); \`${commandName()} build\` makes one.`,
      error,
    )
  })
  const index = parse<Partial<Index>>(text, file)
  if (!Array.isArray(index.manifests)) throw badInput('bad-layout', `${file} is no OCI image index; ${anew}`)
  return index as Index
}

async function readJson<T>(directory: string, blob: Descriptor): Promise<T> {
  const bytes = await readLayoutBlob(directory, blob)
  return parse<T>(new TextDecoder().decode(bytes), blobFile(directory, blob.digest))
}

function parse<T>(text: string, file: string): T {
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw badInput('bad-layout', `${file} is not JSON; ${anew}`, cause)
  }
}

/** Digests come from files that anybody may have edited: nothing but 64 hex digits becomes a path. */
export function blobFile(directory: string, digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw badInput('bad-layout', `${directory} names a blob "${digest}", which is no SHA-256 digest; ${anew}`)
  }
  return path.join(directory, 'blobs', 'sha256', hexOf(digest as Digest))
}

function badBlob(file: string, advice = anew): SlipwayError {
  return badInput('bad-blob', `${file} is damaged: its bytes do not have the digest of its name; ${advice}`)
}

function unreadable(file: string, error: unknown, advice = anew): Error {
  if (errorCode(error) !== 'ENOENT') return error as Error
  return badInput('bad-blob', `${file} is missing; ${advice}`, error)
}

const anew = `\`${commandName()} build\` writes the layout anew.`
