import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'
import type { ImageSource, SourceLayer } from '../image/image-source.ts'
import { type Descriptor, mediaTypes } from '../image/oci.ts'
import { hexOf } from '../lib/digest.ts'

export interface ArchiveParts {
  /** "name:tag". */
  readonly references: readonly string[]
  /** Layers whose bytes go in; the others are only named. */
  readonly layers: readonly SourceLayer[]
  /** Layers whose unpacked size is known go unpacked; for Engines with a graph driver. */
  readonly unpack: boolean
  /** Called with the sizes of what has gone out, compressed. */
  readonly onBytes: (bytes: number) => void
}

/**
 * Streams an image as the archive that `docker load` reads: `manifest.json` for Engines with a graph driver, the OCI
 * layout's own files for those with containerd's image store. No more than a chunk of it is in memory.
 */
export function dockerArchive(image: ImageSource, parts: ArchiveParts): Readable {
  const tar = pack()
  fill(tar, image, parts).catch((error: unknown) => tar.destroy(error as Error))
  return Readable.from(tar)
}

async function fill(tar: Pack, image: ImageSource, parts: ArchiveParts): Promise<void> {
  addJson(tar, 'oci-layout', { imageLayoutVersion: '1.0.0' })
  addJson(tar, 'index.json', ociIndex(image, parts.references))
  addJson(tar, 'manifest.json', [
    {
      Config: blobPath(image.config),
      RepoTags: parts.references,
      Layers: image.layers.map((layer) => placeOf(layer, parts).name),
    },
  ])
  const blobs = new Map<string, Descriptor>()
  for (const blob of [image.manifest, image.config, ...parts.layers]) blobs.set(blob.digest, blob)
  for (const blob of blobs.values()) {
    const { name, size, isUnpacked } = placeOf(blob, parts)
    const entry = tar.entry({ ...plainFile, name, size }) as unknown as NodeJS.WritableStream
    const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        parts.onBytes(chunk.length)
        yield chunk
      }
    }
    if (isUnpacked) await pipeline(image.open(blob), counted, createGunzip({ chunkSize: 1 << 20 }), entry)
    else await pipeline(image.open(blob), counted, entry)
  }
  tar.finalize()
}

/** Where a blob is in the archive, and what it takes there. */
function placeOf(
  blob: Descriptor & Partial<Pick<SourceLayer, 'diffId' | 'unpacked'>>,
  { unpack }: Pick<ArchiveParts, 'unpack'>,
): { name: string; size: number; isUnpacked: boolean } {
  const { diffId, unpacked } = blob
  if (unpack && diffId !== undefined && unpacked !== undefined)
    return { name: blobPath({ digest: diffId }), size: unpacked, isUnpacked: true }
  return { name: blobPath(blob), size: blob.size, isUnpacked: false }
}

function ociIndex(image: ImageSource, references: readonly string[]): unknown {
  const [os, architecture] = image.platform.split('/')
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: references.map((reference) => ({
      ...image.manifest,
      platform: { architecture, os },
      annotations: {
        'io.containerd.image.name': qualified(reference),
        'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
      },
    })),
  }
}

/** containerd keeps references with their registry's host; a bare name belongs to Docker's own. */
function qualified(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')) return reference
  return `${ownDomain}/${rest.length > 0 ? '' : 'library/'}${reference}`
}

const ownDomain = ['docker', 'io'].join('.')
const plainFile = { mode: 0o644, mtime: new Date(0) } as const

function blobPath(blob: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${hexOf(blob.digest)}`
}

function addJson(tar: Pack, name: string, value: unknown): void {
  tar.entry({ ...plainFile, name }, JSON.stringify(value))
}
