import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readTar } from '../debian/tar-reader.ts'
import type { NewBrand } from '../definition/brand-file.ts'
import { hexOf } from '../lib/digest.ts'
import { badInput } from '../lib/errors.ts'
import { describe, fileHasDigest, jsonBlob } from './blob.ts'
import { brandPaths, readBrandFiles } from './brand-files.ts'
import { FileTree, parentsOf } from './file-tree.ts'
import type { Image } from './image.ts'
import type { ImageSource } from './image-source.ts'
import { assembleLayer, layerEntries } from './layer.ts'
import type { CachedLayer } from './layer-cache.ts'
import { type ImageConfig, type Manifest, mediaTypes } from './oci.ts'
import { readLayoutBlob } from './read-layout.ts'
import type { Entry } from './tree.ts'

/** An image under another brand. */
export interface RebrandedImage extends Image {
  readonly name: string
  readonly version: string
}

/**
 * Puts another brand on a built image of a layout: the brand's files, the labels and the history change, and every
 * layer but the last is the one that was there, digest by digest. The same image and brand give the same bytes.
 * Throws `no-brand-layer` where the last layer is no brand's, `bad-blob` where a layer is damaged.
 */
export async function rebrandImage(
  directory: string,
  source: ImageSource,
  next: NewBrand,
  compress: (pieces: readonly Uint8Array[]) => Promise<Uint8Array>,
): Promise<RebrandedImage> {
  const config = JSON.parse(
    Buffer.from(await readLayoutBlob(directory, source.config)).toString(),
  ) as ImageConfig
  const manifest = JSON.parse(
    Buffer.from(await readLayoutBlob(directory, source.manifest)).toString(),
  ) as Manifest
  const { 'io.slipway.product': product, 'io.slipway.release': release } = source.labels
  const name = next.name ?? product ?? ''
  const version = next.version ?? release ?? ''
  const old = source.layers.at(-1)
  const entries = old ? readTar(gunzipSync(await readLayoutBlob(directory, old))) : []
  const identity = entries.find((entry) => entry.path === brandPaths.identity)
  if (!old || !identity?.content) {
    throw badInput(
      'no-brand-layer',
      `The last layer of the image for ${source.platform} holds no brand (no /${brandPaths.identity}), so that there is nothing to exchange; name a layout that build wrote.`,
    )
  }
  const layerName = old.annotations?.['io.slipway.layer'] ?? 'brand'
  const tree = await brandTree(directory, source, entries, identity, { ...next, name, version })
  const brandLayer = await assembleLayer(layerName, layerEntries(tree), compress)
  const kept = await keptLayers(directory, source)
  // It is in no file yet: the layout's writer takes the bytes.
  const brandBlob = { ...toCached(brandLayer, ''), bytes: Buffer.concat(brandLayer.blob) }
  const layers = [...kept, brandBlob]
  const labels = newLabels(next, name, version)
  const { command } = JSON.parse(Buffer.from(identity.content).toString()) as { command: string }
  const newConfig = jsonBlob({
    ...config,
    config: { ...config.config, Labels: { ...config.config.Labels, ...labels } },
    rootfs: { ...config.rootfs, diff_ids: layers.map(({ diffID }) => diffID) },
    history: config.history.map((entry) => ({
      ...entry,
      created_by: entry.created_by.replace(`${command}: `, `${next.brand.command}: `),
    })),
  })
  const annotations = Object.fromEntries(
    Object.entries(labels).filter(([key]) => key.startsWith('org.opencontainers.image.')),
  )
  const newManifest = jsonBlob({
    ...manifest,
    config: describe(mediaTypes.config, newConfig),
    layers: [
      ...manifest.layers.slice(0, -1),
      { ...manifest.layers.at(-1)!, ...describe(mediaTypes.layer, brandLayer) },
    ],
    annotations: { ...manifest.annotations, ...annotations },
  })
  return { platform: source.platform, layers, config: newConfig, manifest: newManifest, name, version }
}

/** The old brand layer without the old brand's own files, and with the new one's. */
async function brandTree(
  directory: string,
  source: ImageSource,
  entries: readonly Entry[],
  { mtime }: Entry,
  next: NewBrand & { name: string; version: string },
): Promise<FileTree> {
  const isBrand = (at: string): boolean =>
    at === brandPaths.banner || at === brandPaths.identity || /^usr\/share\/slipway\/logo\.\w+$/.test(at)
  const files = await readBrandFiles(next)
  const kept = entries.filter((entry) => !isBrand(entry.path))
  const held = [...kept.filter(({ type }) => type !== 'directory'), ...files].map((entry) => entry.path)
  const needed = new Set(held.flatMap(parentsOf))
  const forBrand = new Set(
    entries.filter((entry) => isBrand(entry.path)).flatMap((one) => parentsOf(one.path)),
  )
  const tree = new FileTree([], mtime)
  for (const entry of kept) {
    // A directory that stood there for the sake of the old brand alone goes with it.
    if (entry.type !== 'directory' || needed.has(entry.path) || !forBrand.has(entry.path)) tree.put(entry)
  }
  for (const parent of needed) {
    if (!tree.get(parent))
      tree.put((await entryBelow(directory, source, parent)) ?? directoryEntry(parent, mtime))
  }
  for (const { path: at, mode, content = new Uint8Array() } of files) {
    tree.put({ path: at, type: 'file', mode, uid: 0, gid: 0, mtime, content })
  }
  return tree
}

/** A path as the topmost of the layers below has it. */
async function entryBelow(directory: string, source: ImageSource, at: string): Promise<Entry | undefined> {
  for (const layer of source.layers.slice(0, -1).toReversed()) {
    const found = readTar(gunzipSync(await readLayoutBlob(directory, layer))).find(
      (entry) => entry.path === at,
    )
    if (found) return found
  }
  return undefined
}

function directoryEntry(at: string, mtime: number): Entry {
  return { path: at, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime }
}

/** The layers below, each held against its digest: they are copied as they are. */
async function keptLayers(directory: string, source: ImageSource): Promise<CachedLayer[]> {
  return Promise.all(
    source.layers.slice(0, -1).map(async (layer) => {
      const file = path.join(directory, 'blobs', 'sha256', hexOf(layer.digest))
      if (!(await fileHasDigest(file, layer))) {
        throw badInput(
          'bad-blob',
          `${file} is damaged or missing: its bytes do not have the digest of its name; take another copy of the image.`,
        )
      }
      const { digest, size, diffId } = layer
      return toCached(
        { name: layer.annotations?.['io.slipway.layer'] ?? '', digest, size, diffID: diffId },
        file,
      )
    }),
  )
}

function toCached(layer: Omit<CachedLayer, 'file' | 'tree'>, file: string): CachedLayer {
  const { name, digest, size, diffID } = layer
  return { name, digest, size, diffID, file, tree: async () => undefined }
}

function newLabels({ brand, description }: NewBrand, name: string, version: string): Record<string, string> {
  return {
    'org.opencontainers.image.title': brand.product,
    ...(description !== undefined && { 'org.opencontainers.image.description': description }),
    'org.opencontainers.image.authors': brand.support,
    'org.opencontainers.image.vendor': brand.vendor,
    'org.opencontainers.image.version': version,
    'io.slipway.product': name,
    'io.slipway.release': version,
  }
}

/** A bill of materials under another name; the packages are the same. */
export function rebrandMaterials(
  materials: unknown,
  { name, version, platform, manifest }: RebrandedImage,
  vendor: string,
): unknown {
  const document = materials as { packages?: readonly object[] }
  const [root, ...packages] = document.packages ?? []
  return {
    ...document,
    name: `${name}-${version}-${platform.replace('/', '-')}`,
    documentNamespace: `urn:slipway:${name}:${version}:${hexOf(manifest.digest)}`,
    packages: [{ ...root, name, versionInfo: version, supplier: `Organization: ${vendor}` }, ...packages],
  }
}
