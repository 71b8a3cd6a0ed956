import path from 'node:path'
import { fileHasDigest } from '../../image/blob.ts'
import type { ImageSource } from '../../image/image-source.ts'
import type { Descriptor, ImageConfig, Index, Manifest } from '../../image/oci.ts'
import { openBlobFile } from '../../image/read-layout.ts'
import { writeFileAtomic } from '../../lib/atomic.ts'
import { formatBytes } from '../../lib/bytes.ts'
import { type Digest, hexOf } from '../../lib/digest.ts'
import { downloadFile } from '../../lib/download.ts'
import { SlipwayError } from '../../lib/errors.ts'
import { mapParallel } from '../../lib/parallel.ts'
import type { Platform } from '../../lib/platform.ts'
import type { Report } from '../../lib/progress.ts'
import type { Trust } from '../signature-check.ts'
import { formatReference } from './reference.ts'
import type { RegistrySession } from './session.ts'
import { checkImageSignature } from './signature-check.ts'

export interface PullOptions {
  readonly platform: Platform
  /** Whose signature is wanted; absent: the digest that the reference names is the pin, and no signature is looked at. */
  readonly trust?: Trust
  /** Folder for blobs, named by SHA-256. */
  readonly folder: string
  readonly report: Report
}

export interface RegistryImage extends ImageSource {
  /** What the reference names: an index, or the image itself. */
  readonly digest: Digest
  /** ID of the key that signed it; absent where nobody did, which was allowed, or no signature was looked at. */
  readonly key?: string
}

/**
 * Opens an image of a registry. Manifests and configuration are read now, each held against its digest, and the
 * signature against the key; layers come when `bring` is called. Throws `not-found`, `wrong-digest`, `bad-manifest`,
 * `no-platform`, and what `checkImageSignature` throws.
 */
export async function openRegistryImage(
  session: RegistrySession,
  options: PullOptions,
): Promise<RegistryImage> {
  const { reference } = session
  const name = formatReference(reference, reference.digest ? { digest: reference.digest } : reference)
  const found = await session.readManifest(
    reference.digest ?? reference.tag ?? 'latest',
    `${name} cannot be read`,
  )
  if (!found) throw missing(name, reference.registry)
  const key = options.trust && (await checkImageSignature(session, found.digest, options.trust))
  const top = parseManifest(found.bytes, name)
  const image =
    'manifests' in top
      ? await chooseImage(session, top, options.platform, name)
      : { manifest: top, descriptor: describeTop(top, found) }
  const config = await readConfig(session, image.manifest, name)
  const platform = `${config.os}/${config.architecture}`
  if (platform !== options.platform) throw noPlatform(name, options.platform, [platform])
  const diffIds = config.rootfs?.diff_ids ?? []
  if (diffIds.length !== image.manifest.layers.length) {
    throw badManifest(name, `has ${image.manifest.layers.length} layers and ${diffIds.length} diff IDs`)
  }
  const fileOf = (blob: Descriptor): string => path.join(options.folder, hexOf(blob.digest))
  return {
    digest: found.digest,
    ...(key !== undefined && { key }),
    platform: options.platform,
    manifest: image.descriptor,
    config: image.manifest.config,
    layers: image.manifest.layers.map((layer, index) => ({ ...layer, diffId: diffIds[index]! })),
    labels: config.config?.Labels ?? {},
    bring: (blobs, signal) => bring(session, image.descriptor, blobs, fileOf, options.report, signal),
    open: (blob) => openBlobFile(fileOf(blob), blob),
  }
}

/** Downloads what the folder lacks; a download that was cut goes on where it stopped. */
async function bring(
  session: RegistrySession,
  manifest: Descriptor,
  blobs: readonly Descriptor[],
  fileOf: (blob: Descriptor) => string,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { registry } = session.reference
  const here = await mapParallel(blobs, { limit: 2, signal }, (blob) => fileHasDigest(fileOf(blob), blob))
  const wanted = new Map(blobs.filter((_, index) => !here[index]).map((blob) => [blob.digest, blob]))
  const total = [...wanted.values()].reduce((sum, blob) => sum + blob.size, 0)
  if (total === 0) return
  const task = `Pull ${formatReference(session.reference)}`
  report({ type: 'start', task, total, unit: 'bytes' })
  const wording = { authority: 'the manifest', advice: `ask who runs ${registry}, or try again later` }
  await mapParallel([...wanted.values()], { limit: 3, signal }, async (blob, stop) => {
    if (blob.digest === manifest.digest) {
      const found = await session.readManifest(blob.digest, `The manifest ${blob.digest} cannot be read`)
      if (!found) throw missing(blob.digest, registry)
      await writeFileAtomic(fileOf(blob), found.bytes)
      return
    }
    const file = {
      url: session.url(`blobs/${blob.digest}`),
      name: `the blob ${blob.digest}`,
      size: blob.size,
      sha256: hexOf(blob.digest),
      wording,
    }
    await downloadFile(file, fileOf(blob), {
      ...session.patience,
      signal: stop,
      get: (url, options) => session.get(url, options),
      onBytes: (by) => report({ type: 'advance', task, by }),
    })
  })
  report({ type: 'finish', task, detail: `${wanted.size} blobs, ${formatBytes(total)}` })
}

async function chooseImage(
  session: RegistrySession,
  index: Index,
  platform: Platform,
  name: string,
): Promise<{ manifest: Manifest; descriptor: Descriptor }> {
  const platformOf = (one: Descriptor): string => `${one.platform?.os}/${one.platform?.architecture}`
  const chosen = index.manifests.find((one) => platformOf(one) === platform)
  if (!chosen) {
    throw noPlatform(name, platform, index.manifests.filter((one) => one.platform).map(platformOf))
  }
  const { mediaType, digest, size } = chosen
  requireDescriptor(chosen, name)
  const found = await session.readManifest(digest, `The image for ${platform} of ${name} cannot be read`)
  if (!found) throw missing(`${name}: the image ${digest}`, session.reference.registry)
  const manifest = parseManifest(found.bytes, digest)
  if ('manifests' in manifest || found.bytes.length !== size) {
    throw badManifest(digest, 'is not the image that the index says')
  }
  return { manifest, descriptor: { mediaType, digest, size } }
}

async function readConfig(session: RegistrySession, manifest: Manifest, name: string): Promise<ImageConfig> {
  const bytes = await session.readBlob(manifest.config, `The configuration of ${name} cannot be read`)
  try {
    return JSON.parse(bytes.toString()) as ImageConfig
  } catch {
    throw badManifest(name, 'has a configuration that is not JSON')
  }
}

/** Reads an index or an image manifest; what could pass for both is refused (CVE-2021-41190). */
function parseManifest(bytes: Buffer, name: string): Manifest | Index {
  let value: LooseManifest | null
  try {
    value = JSON.parse(bytes.toString()) as LooseManifest | null
  } catch {
    throw badManifest(name, 'is not JSON')
  }
  const isIndex = Array.isArray(value?.manifests)
  const isImage = Array.isArray(value?.layers) && typeof value?.config === 'object'
  if (!value || isIndex === isImage || (isIndex && (value.layers || value.config))) {
    throw badManifest(name, 'is neither an image nor an index of images')
  }
  for (const one of isIndex ? value.manifests! : [value.config!, ...value.layers!])
    requireDescriptor(one, name)
  return value as Manifest | Index
}

interface LooseManifest {
  readonly manifests?: readonly Descriptor[]
  readonly config?: Descriptor
  readonly layers?: readonly Descriptor[]
}

function requireDescriptor(descriptor: Descriptor, name: string): void {
  const { digest, size, mediaType } = descriptor ?? {}
  if (
    typeof digest !== 'string' ||
    !/^sha256:[0-9a-f]{64}$/.test(digest) ||
    !Number.isSafeInteger(size) ||
    size < 0 ||
    typeof mediaType !== 'string'
  ) {
    throw badManifest(name, 'names something by a digest or size that cannot be one')
  }
}

function describeTop(manifest: Manifest, { bytes, digest }: { bytes: Buffer; digest: Digest }): Descriptor {
  const mediaType = manifest.mediaType ?? 'application/vnd.oci.image.manifest.v1+json'
  return { mediaType, digest, size: bytes.length }
}

function missing(name: string, registry: string): SlipwayError {
  return new SlipwayError('not-found', `${registry} does not have ${name}; check the name, or push it first.`)
}

function badManifest(name: string, reason: string): SlipwayError {
  return new SlipwayError('bad-manifest', `${name} ${reason}, so it is refused; push it again.`)
}

function noPlatform(name: string, wanted: string, known: readonly string[]): SlipwayError {
  return new SlipwayError(
    'no-platform',
    `${name} has no image for ${wanted} (it has ${known.join(', ') || 'none'}); build and push it for ${wanted}.`,
  )
}
