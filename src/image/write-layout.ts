import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { replaceFile, writeFailure, writeFileAtomic } from '../lib/atomic.ts'
import { type Digest, hexOf } from '../lib/digest.ts'
import { badInput, errorCode } from '../lib/errors.ts'
import { debianArchitecture } from '../lib/platform.ts'
import { sweepLeftovers } from '../lib/sweep.ts'
import { type Blob, describe, fileHasDigest, jsonBlob } from './blob.ts'
import type { Image } from './image.ts'
import { type Descriptor, type Index, mediaTypes } from './oci.ts'

/** An artifact that refers to an image: its SBOM. */
export interface Referrer {
  readonly manifest: Blob
  readonly artifactType: string
  readonly blobs: readonly Blob[]
}

export interface ImageName {
  readonly repository: string
  readonly tag: string
}

export interface Layout {
  /** Digest of the multi-platform index. */
  readonly index: Digest
}

/**
 * Writes an OCI image layout (image-layout.md): one multi-platform index under `tag`, its images, and the artifacts
 * that refer to them. `index.json` is replaced last, so that a layout is the old one or the new one, never half.
 * Blobs of an earlier build that nothing names any more are removed. Throws `not-a-layout` where `directory` holds
 * something else.
 */
export async function writeLayout(
  directory: string,
  { repository, tag }: ImageName,
  images: readonly Image[],
  referrers: readonly Referrer[],
): Promise<Layout> {
  await refuseForeign(directory)
  const index = jsonBlob(platformIndex(images))
  const top: Index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      { ...describe(mediaTypes.index, index), annotations: { 'org.opencontainers.image.ref.name': tag } },
      // By a name of its own too: not every tool looks into an index.
      ...images.map((image) => ({
        ...manifestDescriptor(image),
        annotations: { 'org.opencontainers.image.ref.name': platformTag(tag, image) },
      })),
      ...referrers.map((referrer) => ({
        ...describe(mediaTypes.manifest, referrer.manifest),
        artifactType: referrer.artifactType,
      })),
    ],
  }
  const blobs: Blob[] = [
    index,
    ...images.flatMap((image) => [image.manifest, image.config, ...image.layers]),
    ...referrers.flatMap((referrer) => [referrer.manifest, ...referrer.blobs]),
  ]
  const folder = path.join(directory, 'blobs', 'sha256')
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeFailure(directory, error)
  })
  const distinct = new Map(blobs.map((blob) => [hexOf(blob.digest), blob]))
  await Promise.all([...distinct.values()].map((blob) => writeBlob(folder, blob)))
  await writeIfChanged(
    path.join(directory, 'manifest.json'),
    JSON.stringify(dockerManifest(repository, tag, images)),
  )
  await writeIfChanged(path.join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeIfChanged(path.join(directory, 'index.json'), JSON.stringify(top))
  await removeOthers(folder, distinct)
  return { index: index.digest }
}

function platformIndex(images: readonly Image[]): Index {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: images.map(manifestDescriptor),
  }
}

function platformTag(tag: string, image: Image): string {
  return `${tag}-${debianArchitecture(image.platform)}`
}

function manifestDescriptor(image: Image): Descriptor {
  return {
    ...describe(mediaTypes.manifest, image.manifest),
    platform: { architecture: debianArchitecture(image.platform), os: 'linux' },
  }
}

/**
 * What `docker load` reads of a tar of the layout. One name can be given to one platform only: the first image gets
 * the tag, the others have their architecture behind it.
 */
function dockerManifest(repository: string, tag: string, images: readonly Image[]): unknown {
  const blobPath = (blob: { digest: Digest }): string => `blobs/sha256/${hexOf(blob.digest)}`
  return images.map((image, index) => ({
    Config: blobPath(image.config),
    RepoTags: [`${repository}:${index === 0 ? tag : platformTag(tag, image)}`],
    Layers: image.layers.map(blobPath),
  }))
}

async function refuseForeign(directory: string): Promise<void> {
  let names: string[] = []
  try {
    names = await readdir(directory)
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') {
      throw badInput('not-a-layout', `${directory} is a file; choose a folder with --out DIR.`)
    }
    if (errorCode(error) !== 'ENOENT') throw error
  }
  if (names.length > 0 && !names.includes('oci-layout') && !names.includes('blobs')) {
    throw badInput(
      'not-a-layout',
      `${directory} holds other files than an image layout; choose an empty one with --out DIR.`,
    )
  }
}

/** What stands there already is not written again. */
async function writeBlob(folder: string, blob: Blob): Promise<void> {
  const file = path.join(folder, hexOf(blob.digest))
  if (await fileHasDigest(file, blob)) return
  if ('bytes' in blob) await writeFileAtomic(file, blob.bytes)
  else await replaceFile(file, (temporary) => copyFile(blob.file, temporary, constants.COPYFILE_FICLONE))
}

async function writeIfChanged(file: string, text: string): Promise<void> {
  const old = await readFile(file, 'utf8').catch(() => undefined)
  if (old !== text) await writeFileAtomic(file, text)
}

/** Takes out blobs that nothing names; another build's unfinished files are left alone until they are a day old. */
async function removeOthers(folder: string, keep: ReadonlyMap<string, Blob>): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^[0-9a-f]{64}$/.test(name) && !keep.has(name)) await rm(path.join(folder, name), { force: true })
  }
  await sweepLeftovers(folder)
}
