import { rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { fileHasDigest } from '../../image/blob.ts'
import type { ImageSource } from '../../image/image-source.ts'
import type { Descriptor } from '../../image/oci.ts'
import { openBlobFile } from '../../image/read-layout.ts'
import { writeFileAtomic } from '../../lib/atomic.ts'
import { bytesBegun } from '../../lib/begun-download.ts'
import { formatBytes } from '../../lib/bytes.ts'
import { type Digest, hexOf } from '../../lib/digest.ts'
import { requireRoom } from '../../lib/disk-room.ts'
import { downloadFile } from '../../lib/download.ts'
import { isFile } from '../../lib/is-file.ts'
import { mapParallel } from '../../lib/parallel.ts'
import type { Report } from '../../lib/progress.ts'
import { sweepLeftovers, waiting } from '../../lib/sweep.ts'
import { formatReference } from './reference.ts'
import type { RegistrySession } from './session.ts'

/** What is known of an image before a layer of it comes. */
export interface PulledImage {
  /** Manifest and configuration, by digest: they are not asked for again. */
  readonly read: ReadonlyMap<Digest, Uint8Array>
  readonly layers: readonly Descriptor[]
}

type Blobs = Required<Pick<ImageSource, 'bring' | 'open' | 'discard'>>

/**
 * The blobs of a registry's image on their way to the Engine, in a folder of files named by SHA-256. `bring` downloads
 * what is not there, and goes on where a download was cut, also in a later run; `discard` leaves nothing of the image.
 * `bring` throws `disk-full` before the first byte, and what `downloadFile` throws.
 */
export function pulledBlobs(
  session: RegistrySession,
  image: PulledImage,
  folder: string,
  report: Report,
): Blobs {
  const fileOf = ({ digest }: Pick<Descriptor, 'digest'>): string => path.join(folder, hexOf(digest))

  const bring = async (blobs: readonly Descriptor[], signal?: AbortSignal): Promise<void> => {
    await sweepLeftovers(folder, { lifetimes: waiting })
    const here = await mapParallel(blobs, { limit: 2, signal }, (blob) => fileHasDigest(fileOf(blob), blob))
    const wanted = new Map(blobs.filter((_, index) => !here[index]).map((blob) => [blob.digest, blob]))
    const missing = [...wanted.values()]
    if (missing.length === 0) return
    const name = formatReference(session.reference)
    const total = missing.reduce((sum, blob) => sum + blob.size, 0)
    const begun = await mapParallel(missing, { limit: 2 }, (blob) => bytesBegun(fileOf(blob)))
    const toCome = missing.reduce((sum, { size }, index) => sum + Math.max(size - begun[index]!, 0), 0)
    await requireRoom(folder, toCome, `What is to be pulled of ${name} needs`)
    const task = `Pull ${name}`
    report({ type: 'start', task, total, unit: 'bytes' })
    const onBytes = (by: number): void => report({ type: 'advance', task, by })
    await mapParallel(missing, { limit: 3, signal }, (blob, stop) => download(blob, stop, onBytes))
    report({ type: 'finish', task, detail: `${missing.length} blobs, ${formatBytes(total)}` })
  }

  const download = async (
    blob: Descriptor,
    signal: AbortSignal,
    onBytes: (by: number) => void,
  ): Promise<void> => {
    const read = image.read.get(blob.digest)
    if (read) return writeFileAtomic(fileOf(blob), read)
    const advice = `ask who runs ${session.reference.registry}, or try again later`
    const file = {
      url: session.url(`blobs/${blob.digest}`),
      name: `the blob ${blob.digest}`,
      size: blob.size,
      sha256: hexOf(blob.digest),
      wording: { authority: 'the manifest', advice },
    }
    await downloadFile(file, fileOf(blob), {
      ...session.patience,
      signal,
      get: (url, options) => session.get(url, options),
      onBytes,
    })
  }

  async function* bytesOf(blob: Descriptor): AsyncGenerator<Buffer> {
    // Another run that shares the folder may have been done with it, and thrown it away.
    if (!(await isFile(fileOf(blob)))) await bring([blob])
    yield* openBlobFile(fileOf(blob), blob, 'run the same command again.')
  }

  return {
    bring,
    open: (blob) => Readable.from(bytesOf(blob), { objectMode: false }),
    // One that cannot be removed goes with a later sweep.
    discard: async () => {
      const all = [...image.read.keys(), ...image.layers.map(({ digest }) => digest)]
      await Promise.all(all.map((digest) => rm(fileOf({ digest }), { force: true }).catch(() => {})))
    },
  }
}
