import { pipeline, type Readable } from 'node:stream'
import { sharedLayers } from '../image/chain-id.ts'
import { checkedBlob } from '../image/checked-blob.ts'
import type { ImageSource } from '../image/image-source.ts'
import { type ImageConfig, mediaTypes } from '../image/oci.ts'
import { badInput } from '../lib/errors.ts'
import { parseJson } from '../lib/parse-json.ts'
import type { Platform } from '../lib/platform.ts'
import { type Report, silent } from '../lib/progress.ts'
import type { BundleFile } from './bundle-file.ts'
import { checkContents, type SmallFiles } from './check-contents.ts'
import { checkImages } from './check-images.ts'
import { limitsFault } from './check-limits.ts'
import { checkMembers } from './check-members.ts'
import {
  type BundledImage,
  type BundleManifest,
  blobPath,
  bundleFormat,
  isProductFile,
  limits,
  manifestName,
  type Role,
  signatureName,
} from './format.ts'
import { parseManifest, peekManifest } from './parse-manifest.ts'
import { openBundleFile } from './parts.ts'
import { damaged, type Member, readMembers, unsafe } from './read-members.ts'
import { refused } from './refuse.ts'
import { checkSignature, type Trust } from './signature-check.ts'

/** A bundle whose every byte was checked once. */
export interface OpenedBundle {
  readonly name: string
  readonly size: number
  readonly manifest: BundleManifest
  /** The bytes of its `bundle.json`. */
  readonly manifestBytes: Uint8Array
  /** ID of the key that signed it; absent where nobody did, which was allowed. */
  readonly key?: string
  /** Files of the product directory: path → bytes. */
  readonly product: ReadonlyMap<string, Uint8Array>
  /** Undefined where it holds no image of this role. */
  image(role: Role): ImageSource | undefined
  close(): Promise<void>
}

export interface OpenOptions extends Trust {
  /** What it must be for; absent: any. */
  readonly platform?: Platform
  /**
   * For an install: diff IDs of the images that the Engine has, bottom first. Of a signed bundle only what will be
   * loaded, and the layer that tells the packages, is then unpacked; the rest is held against its digest alone.
   */
  readonly stored?: readonly (readonly string[])[]
  readonly report?: Report
  readonly signal?: AbortSignal
}

/**
 * Opens a bundle, or one that is in parts, and checks all of it in bounded memory: signature, form, every byte,
 * image IDs, unpacked layers, and that the lock says what is in the images. Throws bad input (exit code 2), never
 * anything of the bundle's own making: `no-bundle`, `damaged-bundle`, `unsafe-bundle`, `bad-bundle`, `newer-bundle`,
 * `unsigned-bundle`, `no-key`, `other-key`, `bad-signature`, `wrong-platform`, `missing-part`, `foreign-part`, `lost-bundle`.
 */
export async function openBundle(path: string, options: OpenOptions): Promise<OpenedBundle> {
  const parts = await openBundleFile(path)
  const { file } = parts
  try {
    return await check(file, options).catch(async (error) => {
      throw (await parts.diagnose?.(options.signal).catch(() => undefined)) ?? error
    })
  } catch (error) {
    await file.close()
    throw error
  }
}

async function check(file: BundleFile, options: OpenOptions): Promise<OpenedBundle> {
  const members = await readMembers(file)
  const { manifest, bytes, key } = await readManifest(file, members, options)
  if (options.platform !== undefined && manifest.platform !== options.platform) {
    throw badInput(
      'wrong-platform',
      `${file.name} is for ${manifest.platform}, and this Engine runs ${options.platform}; nothing was loaded. Take the bundle for ${options.platform}.`,
    )
  }
  const unfit = limitsFault(manifest)
  if (unfit) throw unsafe(file, `it ${unfit}`)
  await checkMembers(file, members, manifest)
  const positions = new Map(members.map((member) => [member.path, member]))
  const { small, layers } = await checkContents(file, manifest, positions, {
    packed: key === undefined ? new Set() : notLoaded(manifest, options.stored),
    report: options.report ?? silent,
    ...(options.signal && { signal: options.signal }),
  })
  checkImages(file, manifest, small, layers)
  return {
    name: file.name,
    size: file.size,
    manifest,
    manifestBytes: bytes,
    ...(key !== undefined && { key }),
    product: new Map([...small].filter(([path]) => isProductFile(path))),
    image: (role) => {
      const image = manifest.images.find((one) => one.role === role)
      return image && sourceOf(file, manifest, image, small, positions)
    },
    close: () => file.close(),
  }
}

/** Layers that an install will not send: those of the installer alone, and those that the Engine has. */
function notLoaded({ images }: BundleManifest, stored: OpenOptions['stored']): Set<string> {
  if (!stored) return new Set()
  const appliance = images.find(({ role }) => role === 'appliance')!
  const diffIds = appliance.layers.map(({ diffId }) => diffId)
  const loaded = appliance.layers.slice(sharedLayers(diffIds, stored)).map(({ digest }) => digest)
  const wanted = new Set([...loaded, appliance.packages.layer])
  return new Set(
    images.flatMap(({ layers }) => layers.map(({ digest }) => digest)).filter((one) => !wanted.has(one)),
  )
}

async function readManifest(
  file: BundleFile,
  members: readonly Member[],
  trust: Trust,
): Promise<{ manifest: BundleManifest; bytes: Uint8Array; key: string | undefined }> {
  const bytes = await readSmall(file, members, manifestName, limits.manifest)
  if (!bytes) throw refused('no-bundle', file.name, `it is no bundle: it holds no ${manifestName}`)
  const value = parseJson(bytes)
  const { format, key } = peekManifest(value)
  if (format !== undefined && format > bundleFormat) {
    throw badInput(
      'newer-bundle',
      `${file.name} is a bundle of format ${format}, and this program reads format ${bundleFormat}; nothing was loaded. Take the newer installer that came with it.`,
    )
  }
  const signature = await readSmall(file, members, signatureName, limits.signature)
  const claim = {
    bytes,
    ...(key !== undefined && { key }),
    ...(signature && { signature: signature.toString('latin1') }),
  }
  const by = checkSignature(file.name, claim, trust)
  if (value === undefined) throw bad(file, `${manifestName} is not JSON`)
  const manifest = parseManifest(value)
  if ('problem' in manifest)
    throw bad(file, `${manifestName} is no manifest of a bundle: ${manifest.problem}`)
  return { manifest, bytes, key: by }
}

async function readSmall(
  file: BundleFile,
  members: readonly Member[],
  path: string,
  limit: number,
): Promise<Buffer | undefined> {
  const member = members.find((one) => one.path === path)
  if (!member) return undefined
  if (member.size > limit) throw bad(file, `${path} is larger than ${limit} bytes`)
  return file.read(member.content, member.size)
}

function sourceOf(
  file: BundleFile,
  manifest: BundleManifest,
  image: BundledImage,
  small: SmallFiles,
  positions: ReadonlyMap<string, Member>,
): ImageSource {
  const config = parseJson(small.get(blobPath(image.config.digest))!) as ImageConfig
  return {
    platform: manifest.platform,
    manifest: { mediaType: mediaTypes.manifest, ...image.manifest },
    config: { mediaType: mediaTypes.config, ...image.config },
    layers: image.layers.map(({ digest, size, diffId, unpacked, absent }) => ({
      mediaType: mediaTypes.layer,
      digest,
      size,
      diffId,
      unpacked,
      ...(absent && { absent }),
    })),
    labels: config.config.Labels ?? {},
    bring: async (blobs) => {
      if (blobs.some(({ digest }) => !positions.has(blobPath(digest)))) throw lacking(file, manifest)
    },
    open: (blob): Readable => {
      const member = positions.get(blobPath(blob.digest))!
      const checked = checkedBlob(blob, () => damaged(file, `its ${member.path} changed while it was read`))
      return pipeline(file.stream(member.content, member.size), checked, () => {})
    },
  }
}

/** An update on a host that has not what it stands on. */
function lacking(file: Pick<BundleFile, 'name'>, { product, since }: BundleManifest): Error {
  return badInput(
    'needs-release',
    `${file.name} holds only what changed since ${product.product} ${since?.version}, which this Engine does not have; install the full bundle of ${product.version} instead.`,
  )
}

function bad(file: BundleFile, reason: string): Error {
  return refused('bad-bundle', file.name, reason)
}
