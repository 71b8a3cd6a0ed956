import type { ImageSource } from '../../image/image-source.ts'
import type { Descriptor, ImageConfig, Index, Manifest } from '../../image/oci.ts'
import type { Digest } from '../../lib/digest.ts'
import { SlipwayError } from '../../lib/errors.ts'
import type { Platform } from '../../lib/platform.ts'
import type { Report } from '../../lib/progress.ts'
import type { Trust } from '../signature-check.ts'
import { pulledBlobs } from './pulled-blobs.ts'
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
      : { manifest: top, descriptor: describeTop(top, found), bytes: found.bytes }
  const { config, bytes: configBytes } = await readConfig(session, image.manifest, name)
  const platform = `${config.os}/${config.architecture}`
  if (platform !== options.platform) throw noPlatform(name, options.platform, [platform])
  const diffIds = config.rootfs?.diff_ids ?? []
  if (diffIds.length !== image.manifest.layers.length) {
    throw badManifest(name, `has ${image.manifest.layers.length} layers and ${diffIds.length} diff IDs`)
  }
  const { manifest, descriptor, bytes } = image
  const read = new Map([
    [descriptor.digest, bytes],
    [manifest.config.digest, configBytes],
  ])
  return {
    digest: found.digest,
    ...(key !== undefined && { key }),
    platform: options.platform,
    manifest: descriptor,
    config: manifest.config,
    layers: manifest.layers.map((layer, index) => ({ ...layer, diffId: diffIds[index]! })),
    labels: config.config?.Labels ?? {},
    ...pulledBlobs(session, { read, layers: manifest.layers }, options.folder, options.report),
  }
}

async function chooseImage(
  session: RegistrySession,
  index: Index,
  platform: Platform,
  name: string,
): Promise<{ manifest: Manifest; descriptor: Descriptor; bytes: Buffer }> {
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
  return { manifest, descriptor: { mediaType, digest, size }, bytes: found.bytes }
}

async function readConfig(
  session: RegistrySession,
  manifest: Manifest,
  name: string,
): Promise<{ readonly config: ImageConfig; readonly bytes: Buffer }> {
  const bytes = await session.readBlob(manifest.config, `The configuration of ${name} cannot be read`)
  try {
    return { config: JSON.parse(bytes.toString()) as ImageConfig, bytes }
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
