import { Readable } from 'node:stream'
import type { Engine } from '../engine/engine.ts'
import { acceptedIds, loadImage } from '../engine/load-image.ts'
import type { ImageSource } from '../image/image-source.ts'
import { type Descriptor, mediaTypes } from '../image/oci.ts'
import { writeTar } from '../image/tar-writer.ts'
import { digestOf } from '../lib/digest.ts'
import { errorCode } from '../lib/errors.ts'
import { silent } from '../lib/progress.ts'

/** An image of one empty folder, for containers that are never started. Another content needs another tag. */
export const helperReference = 'slipway-helper:1'
/** That folder: where the state volume is mounted. */
export const helperFolder = '/state'

const coming = new WeakMap<Engine, Promise<string>>()

/** Brings the helper image into the Engine where it is not, once for all who ask meanwhile; returns its ID. */
export async function ensureHelperImage(engine: Engine): Promise<string> {
  const bringing = coming.get(engine) ?? bring(engine).finally(() => coming.delete(engine))
  coming.set(engine, bringing)
  return bringing
}

/**
 * Begins to bring the helper image, which takes an Engine a tenth of a second, while the caller looks at the host. What
 * this returns ends that: `takeBack` where nothing came of it, so that the Engine is as it was.
 */
export function beginHelperImage(engine: Engine): { takeBack(): Promise<void> } {
  const wasThere = engine.images.inspect(helperReference).catch(() => undefined)
  const bringing = wasThere.then(() => ensureHelperImage(engine)).catch(() => undefined)
  return {
    takeBack: async () => {
      await bringing
      if (!(await wasThere)) await dropHelperImage(engine).catch(() => {})
    },
  }
}

async function bring(engine: Engine): Promise<string> {
  const image = helperImage(engine.version.architecture)
  const there = await engine.images.inspect(helperReference)
  if (there && acceptedIds(image).includes(there.id)) return there.id
  return (await loadImage(engine, image, [helperReference], silent)).id
}

/** Removes the helper image unless a container of any appliance still needs it. */
export async function dropHelperImage(engine: Engine): Promise<void> {
  if (!(await engine.images.inspect(helperReference))) return
  try {
    await engine.images.remove(helperReference)
  } catch (error) {
    // In use, or another run was quicker.
    if (!['conflict', 'no-such-image'].includes(errorCode(error) ?? '')) throw error
  }
}

/** The image in memory: the same bytes everywhere, one variant for each architecture. */
export function helperImage(architecture: string): ImageSource {
  const folder = helperFolder.slice(1)
  const layer = Buffer.concat(
    writeTar([{ path: folder, type: 'directory', mode: 0o700, uid: 0, gid: 0, mtime: 0 }]),
  )
  const blobs = new Map<string, Buffer>()
  const add = (mediaType: string, content: Buffer): Descriptor => {
    const digest = digestOf(content)
    blobs.set(digest, content)
    return { mediaType, digest, size: content.length }
  }
  const layers = [{ ...add(plainLayer, layer), diffId: digestOf(layer) }]
  const created = '1970-01-01T00:00:00Z'
  const labels = { 'io.slipway.helper': '1' }
  const config = add(
    mediaTypes.config,
    json({
      created,
      architecture,
      os: 'linux',
      config: { Env: [], Labels: labels },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: [{ created, created_by: 'slipway' }],
    }),
  )
  const manifest = add(
    mediaTypes.manifest,
    json({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config,
      layers: layers.map(({ diffId, ...descriptor }) => descriptor),
    }),
  )
  return {
    platform: `linux/${architecture}` as ImageSource['platform'],
    manifest,
    config,
    layers,
    labels,
    open: ({ digest }) => Readable.from([blobs.get(digest)!]),
  }
}

const plainLayer = 'application/vnd.oci.image.layer.v1.tar'

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
