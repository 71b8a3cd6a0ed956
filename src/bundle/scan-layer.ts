import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Digest } from '../lib/digest.ts'
import { StatusFinder } from './status-finder.ts'

export interface ScannedLayer {
  readonly digest: Digest
  readonly diffId: Digest
  readonly unpacked: number
  /** The package database, where the layer has one. */
  readonly status?: Uint8Array
}

/** Why a layer cannot be scanned, in words that follow its name. */
export class LayerFault extends Error {}

/**
 * Unpacks a compressed layer as it streams by and keeps nothing but its digests and its package database. Stops with a
 * LayerFault at the first byte over `limit`, however little of the input it took to get there.
 */
export async function scanLayer(blob: Readable, limit: number, signal?: AbortSignal): Promise<ScannedLayer> {
  const compressed = createHash('sha256')
  const tar = createHash('sha256')
  const finder = new StatusFinder()
  const gunzip = createGunzip({ chunkSize: 1 << 20 })
  let packed = 0
  let unpacked = 0
  const hashing = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      packed += chunk.length
      compressed.update(chunk)
      yield chunk
    }
  }
  const take = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of chunks) {
      unpacked += chunk.length
      if (unpacked > limit) throw new LayerFault(`unpacks to more than the ${limit} bytes that it may`)
      tar.update(chunk)
      finder.take(chunk)
      if (!finder.isTar) throw new LayerFault('is no tar')
    }
  }
  // Node passes over zeros behind the last gzip member; an Engine stops at them.
  const unfinished = 'cannot be unpacked to its end'
  try {
    await pipeline(blob, hashing, gunzip, take, signal ? { signal } : {})
  } catch (error) {
    if (error instanceof LayerFault || signal?.aborted) throw error
    if (/^Z_/.test((error as { code?: string }).code ?? ''))
      throw new LayerFault('cannot be unpacked', { cause: error })
    // Those zeros were still on their way when the unpacking was over.
    if (gunzip.readableEnded) throw new LayerFault(unfinished, { cause: error })
    throw error
  }
  if (gunzip.bytesWritten !== packed) throw new LayerFault(unfinished)
  if (!finder.isWhole) throw new LayerFault('is a tar without its end')
  return {
    digest: `sha256:${compressed.digest('hex')}`,
    diffId: `sha256:${tar.digest('hex')}`,
    unpacked,
    ...(finder.status && { status: finder.status }),
  }
}
