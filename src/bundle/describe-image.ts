import { createReadStream } from 'node:fs'
import { sharedLayers } from '../image/chain-id.ts'
import type { Image } from '../image/image.ts'
import type { CachedLayer } from '../image/layer-cache.ts'
import { commandName } from '../lib/command-name.ts'
import type { Digest } from '../lib/digest.ts'
import { SlipwayError } from '../lib/errors.ts'
import { mapParallel } from '../lib/parallel.ts'
import { type BundledImage, type BundledLayer, type BundleManifest, limits, type Role } from './format.ts'
import { packagesDigest, readStatus } from './package-list.ts'
import { type ScannedLayer, scanLayer } from './scan-layer.ts'

/** An image on its way into a bundle. */
export interface PackedImage {
  readonly role: Role
  /** "name:tag" */
  readonly reference: string
  readonly image: Image
}

/**
 * An image as `bundle.json` has it. Every layer is unpacked for that: what a verification would find wrong is found
 * when packing. Layers that a host of `since` has are marked as absent. Throws `bad-layer`.
 */
export async function describeImage(
  { role, reference, image }: PackedImage,
  since: BundleManifest | undefined,
): Promise<BundledImage> {
  const scanned = await mapParallel(image.layers, { limit: 2 }, scan)
  const stacks = since?.images.map(({ layers }) => layers.map(({ diffId }) => diffId)) ?? []
  const shared = sharedLayers(
    image.layers.map(({ diffID }) => diffID),
    stacks,
  )
  const holder = scanned.findLast(({ status }) => status)
  if (!holder)
    throw new SlipwayError(
      'bad-layer',
      `${reference} has no package database; \`${commandName()} build\` makes one.`,
    )
  return {
    role,
    reference,
    manifest: pick(image.manifest),
    config: pick(image.config),
    layers: image.layers.map(({ name, digest, size, diffID }, index): BundledLayer => {
      const { unpacked } = scanned[index]!
      return { name, digest, size, diffId: diffID, unpacked, ...(index < shared && { absent: true }) }
    }),
    packages: { sha256: packagesDigest(readStatus(holder.status!)), layer: holder.digest },
  }
}

async function scan(layer: CachedLayer): Promise<ScannedLayer> {
  const found = await scanLayer(createReadStream(layer.file, { highWaterMark: 1 << 20 }), limits.unpacked)
  if (found.digest === layer.digest && found.diffId === layer.diffID) return found
  throw new SlipwayError(
    'bad-layer',
    `The cached layer ${layer.name} is damaged; run the same command again, which builds it anew.`,
  )
}

function pick({ digest, size }: { digest: Digest; size: number }): { digest: Digest; size: number } {
  return { digest, size }
}
