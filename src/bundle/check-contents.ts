import { createHash } from 'node:crypto'
import { sha256Hex } from '../lib/digest.ts'
import { mapParallel } from '../lib/parallel.ts'
import type { Report } from '../lib/progress.ts'
import type { BundleFile } from './bundle-file.ts'
import { type BundledFile, type BundledLayer, type BundleManifest, blobPath, manifestName } from './format.ts'
import { damaged, type Member, unsafe } from './read-members.ts'
import { quoted, refused } from './refuse.ts'
import { LayerFault, type ScannedLayer, scanLayer } from './scan-layer.ts'

/** What is not a layer: path → bytes. */
export type SmallFiles = ReadonlyMap<string, Uint8Array>

export interface Contents {
  readonly small: SmallFiles
  /** By digest; absent ones are not here. */
  readonly layers: ReadonlyMap<string, ScannedLayer>
}

export interface Reading {
  /** Layers, by digest, whose bytes are compared but not unpacked. */
  readonly packed: ReadonlySet<string>
  readonly report: Report
  readonly signal?: AbortSignal
}

/**
 * Reads every file of a bundle once and holds it against its digest; layers are unpacked on the way, but for those in `packed`,
 * and held against their diff ID and size. Throws `damaged-bundle`, `unsafe-bundle`, `bad-bundle`.
 */
export async function checkContents(
  file: BundleFile,
  manifest: BundleManifest,
  positions: ReadonlyMap<string, Member>,
  { packed, report, signal }: Reading,
): Promise<Contents> {
  const task = `check ${file.name}`
  report({ type: 'start', task, total: file.size, unit: 'bytes' })
  const layers = distinctLayers(file, manifest)
  const small = new Map<string, Uint8Array>()
  for (const { path, size, sha256 } of manifest.files) {
    if (layers.has(path)) continue
    const bytes = await file.read(positions.get(path)!.content, size)
    signal?.throwIfAborted()
    if (sha256Hex(bytes) !== sha256) throw altered(file, path)
    small.set(path, bytes)
    report({ type: 'advance', task, by: size })
  }
  const present = manifest.files.flatMap((entry) => {
    const layer = layers.get(entry.path)
    return layer ? [{ entry, layer }] : []
  })
  // Those to be unpacked first: a thread of its own does that, while this one sums up the others.
  const turnOf = ({ digest, size }: BundledLayer): number => (packed.has(digest) ? 0 : -size)
  const inTurn = [...present].sort((a, b) => turnOf(a.layer) - turnOf(b.layer))
  const scanned = new Map<string, ScannedLayer>()
  await mapParallel(inTurn, { limit: 3, signal }, async ({ entry, layer }, stop) => {
    const { content, size } = positions.get(entry.path)!
    if (!packed.has(layer.digest)) {
      const found = await scan(file, { entry, layer, content }, stop)
      scanned.set(found.digest, found)
    } else if ((await hashOf(file, content, size)) !== entry.sha256) throw altered(file, entry.path)
    report({ type: 'advance', task, by: size })
  })
  report({ type: 'finish', task })
  return { small, layers: scanned }
}

async function scan(
  file: BundleFile,
  { entry, layer, content }: { entry: BundledFile; layer: BundledLayer; content: number },
  signal: AbortSignal,
): Promise<ScannedLayer> {
  const found = await scanLayer(file.stream(content, entry.size), layer.unpacked, signal).catch(
    async (error) => {
      if (!(error instanceof LayerFault)) throw error
      // A damaged byte shows as a layer that cannot be unpacked: say which of the two it is.
      if ((await hashOf(file, content, entry.size)) !== entry.sha256) throw altered(file, entry.path)
      throw unsafe(file, `the layer ${layer.name} ${error.message}`)
    },
  )
  if (found.digest !== `sha256:${entry.sha256}`) throw altered(file, entry.path)
  if (found.diffId === layer.diffId && found.unpacked === layer.unpacked) return found
  throw refused(
    'bad-bundle',
    file.name,
    `the layer ${layer.name} unpacks to something else than its ${manifestName} says`,
  )
}

/** Layers by the path of their blob; two images may name one, but then alike. */
function distinctLayers(file: BundleFile, { images }: BundleManifest): ReadonlyMap<string, BundledLayer> {
  const layers = new Map<string, BundledLayer>()
  for (const layer of images.flatMap((image) => image.layers)) {
    const path = blobPath(layer.digest)
    const other = layers.get(path)
    if (other && (other.diffId !== layer.diffId || other.unpacked !== layer.unpacked))
      throw refused(
        'bad-bundle',
        file.name,
        `its ${manifestName} describes the layer ${layer.digest} in two ways`,
      )
    layers.set(path, layer)
  }
  return layers
}

async function hashOf(file: BundleFile, offset: number, size: number): Promise<string> {
  const hash = createHash('sha256')
  // One buffer for all: a new one for each piece of a large layer keeps the garbage collector at work.
  const buffer = Buffer.allocUnsafe(Math.min(size, 1 << 20))
  for (let done = 0; done < size; ) {
    const piece = await file.read(offset + done, Math.min(buffer.length, size - done), buffer)
    if (piece.length === 0) break
    hash.update(piece)
    done += piece.length
  }
  return hash.digest('hex')
}

function altered(file: BundleFile, path: string): Error {
  return damaged(file, `${quoted(path)} has another checksum than its ${manifestName} says`)
}
