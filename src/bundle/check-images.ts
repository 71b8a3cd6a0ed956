import { type ImageConfig, type Manifest, mediaTypes } from '../image/oci.ts'
import type { Digest } from '../lib/digest.ts'
import { badInput } from '../lib/errors.ts'
import { parseJson } from '../lib/parse-json.ts'
import { plainText } from '../lib/plain-text.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import { parseLock } from '../lock/read-lock.ts'
import type { BundleFile } from './bundle-file.ts'
import type { SmallFiles } from './check-contents.ts'
import {
  type BundledBlob,
  type BundledImage,
  type BundleManifest,
  blobPath,
  digestOfPath,
  dockerManifestName,
  indexName,
  layoutName,
  lockPath,
  manifestName,
} from './format.ts'
import { dockerManifestFile, indexFile, layoutFile } from './layout-files.ts'
import { differenceOf, lockedPackages, packagesDigest, readStatus } from './package-list.ts'
import { quoted, refused } from './refuse.ts'
import type { ScannedLayer } from './scan-layer.ts'

/**
 * Holds a bundle's images against each other's words: the layout's files, manifest, configuration (whose digest is
 * the image's ID), layers and blobs, and the lock against what each image's package database says. Pure; throws
 * `bad-bundle`, `wrong-lock`.
 */
export function checkImages(
  file: Pick<BundleFile, 'name'>,
  bundle: BundleManifest,
  small: SmallFiles,
  layers: ReadonlyMap<string, ScannedLayer>,
): void {
  const bad = (reason: string): Error => refused('bad-bundle', file.name, reason)
  const wrongFile = layoutFault(bundle, small) ?? blobFault(bundle)
  if (wrongFile) throw bad(wrongFile)
  const lock = readLock(file, small)
  for (const image of bundle.images) {
    const fault = imageFault(bundle, image, small)
    if (fault) throw bad(`the ${image.role} image: ${fault}`)
    const difference = packagesFault(bundle, image, lock, layers)
    if (difference)
      throw refused(
        'wrong-lock',
        file.name,
        `its lock is not that of the ${image.role} image: the lock ${difference}`,
      )
  }
}

/** The files that follow from `bundle.json`, and the beginning that `docker load` reads. */
function layoutFault(bundle: BundleManifest, small: SmallFiles): string | undefined {
  const text = (path: string): string => Buffer.from(small.get(path) ?? []).toString('utf8')
  if (text(layoutName) !== layoutFile) return `${layoutName} does not say what it must`
  if (text(indexName) !== indexFile(bundle)) return `${indexName} does not name its images`
  const beginning = bundle.files.slice(0, bundle.prefix.files).map(({ path }) => path)
  const installer = bundle.images.find(({ role }) => role === 'installer')
  if (beginning.length === 0)
    return small.has(dockerManifestName) ? `${dockerManifestName} is not at its beginning` : undefined
  if (!installer || text(dockerManifestName) !== dockerManifestFile(installer))
    return `${dockerManifestName} does not name the installer image`
  const wanted = [
    dockerManifestName,
    blobPath(installer.config.digest),
    ...installer.layers.filter(({ absent }) => !absent).map(({ digest }) => blobPath(digest)),
  ]
  return JSON.stringify([...new Set(wanted)]) === JSON.stringify(beginning)
    ? undefined
    : 'its beginning is not the installer image'
}

/** Every blob by its digest and of its size, none missing and none that no image names. */
function blobFault({ images, files }: BundleManifest): string | undefined {
  const blobs = images.flatMap(({ manifest, config, layers }) => [
    manifest,
    config,
    ...layers.filter(({ absent }) => !absent),
  ])
  const known = new Set(blobs.map(({ digest }) => digest))
  const found = new Map<Digest, number>()
  for (const { path, size, sha256 } of files) {
    const digest = digestOfPath(path)
    if (!digest) {
      if (path.startsWith('blobs/')) return `${path} is no blob's path`
      continue
    }
    if (digest !== `sha256:${sha256}`) return `the blob ${path} has another digest than its path says`
    if (!known.has(digest)) return `it holds the blob ${digest}, which no image names`
    found.set(digest, size)
  }
  for (const { digest, size } of blobs) {
    const held = found.get(digest)
    if (held === undefined) return `it lacks the blob ${digest}, which an image names`
    if (held !== size) return `the blob ${digest} has ${held} bytes, and an image says ${size}`
  }
  return undefined
}

function imageFault(
  { platform }: BundleManifest,
  image: BundledImage,
  small: SmallFiles,
): string | undefined {
  const manifest = readBlob<Partial<Manifest>>(small, image.manifest)
  const config = readBlob<Partial<ImageConfig>>(small, image.config)
  if (!manifest || !Array.isArray(manifest.layers)) return 'its manifest is no manifest'
  if (!config || !isObject(config.config) || !Array.isArray(config.rootfs?.diff_ids))
    return 'its configuration is none'
  if (!isBlob(manifest.config, mediaTypes.config, image.config))
    return `its ID is not the one that ${manifestName} says`
  const { layers } = image
  if (
    manifest.layers.length !== layers.length ||
    !manifest.layers.every((layer, index) => isBlob(layer, mediaTypes.layer, layers[index]!))
  )
    return `its layers are not those that ${manifestName} says`
  if (
    !same(
      config.rootfs.diff_ids,
      image.layers.map(({ diffId }) => diffId),
    )
  )
    return `its diff IDs are not those that ${manifestName} says`
  if (`${config.os}/${config.architecture}` !== platform)
    return `it is for ${quoted(`${config.os}/${config.architecture}`)}, and the bundle for ${platform}`
  const gap = image.layers.findIndex(({ absent }) => !absent)
  if (image.layers.some(({ absent }, index) => absent && gap >= 0 && index > gap))
    return 'a layer is absent above one that is there'
  return undefined
}

function packagesFault(
  { platform }: BundleManifest,
  image: BundledImage,
  lock: Lockfile,
  scanned: ReadonlyMap<string, ScannedLayer>,
): string | undefined {
  const locked = lockedPackages(lock, platform, image)
  const { layer, sha256 } = image.packages
  const at = image.layers.findIndex(({ digest }) => digest === layer)
  const above = image.layers.slice(at + 1).some(({ digest }) => scanned.get(digest)?.status)
  if (at < 0 || above) return `is not the one whose layer ${manifestName} names`
  // Not unpacked here: an update leaves it out, or the Engine has it. Its list was noted when it was packed.
  const found = scanned.get(layer)
  if (!found) return packagesDigest(locked) === sha256 ? undefined : 'lists other packages than the image has'
  if (!found.status) return 'lists packages, and the image has no package database'
  const installed = readStatus(found.status)
  const difference = differenceOf(locked, installed)
  if (difference) return difference
  return packagesDigest(installed) === sha256
    ? undefined
    : `agrees with the image, and ${manifestName} does not`
}

function readLock(file: Pick<BundleFile, 'name'>, small: SmallFiles): Lockfile {
  const bytes = small.get(lockPath)
  if (!bytes) throw refused('bad-bundle', file.name, `it holds no ${lockPath}`)
  try {
    return parseLock(Buffer.from(bytes).toString('utf8'), lockPath)
  } catch (error) {
    throw badInput(
      'wrong-lock',
      `${file.name} is refused, nothing was loaded: ${plainText(error instanceof Error ? error.message : String(error))}`,
      error,
    )
  }
}

/** Whether a manifest names this blob, as what it is, and nowhere else to get it from. */
function isBlob(value: unknown, mediaType: string, { digest, size }: BundledBlob): boolean {
  return (
    isObject(value) &&
    value.mediaType === mediaType &&
    value.digest === digest &&
    value.size === size &&
    !('urls' in value)
  )
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}

function readBlob<T>(small: SmallFiles, { digest }: BundledBlob): T | undefined {
  const value = parseJson(small.get(blobPath(digest)) ?? '')
  return isObject(value) ? (value as T) : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
