import { createHash } from 'node:crypto'
import type { Digest } from '../lib/digest.ts'
import { type FileTree, parentsOf } from './file-tree.ts'
import { writeTar } from './tar-writer.ts'
import type { Entry } from './tree.ts'

/** A layer as an image names it. */
export interface Layer {
  readonly name: string
  /** Digest and bytes of the compressed blob. */
  readonly digest: Digest
  readonly size: number
  /** Digest of the uncompressed tar (OCI image-spec, config.md, "Layer DiffID"). */
  readonly diffID: Digest
}

export interface LayerBlob extends Layer {
  /** The compressed blob, in pieces that follow each other. */
  readonly blob: readonly Uint8Array[]
}

/** Bytes of tar in one gzip member: large enough to compress well, small enough to keep every thread busy. */
const memberSize = 2 << 20

/** Turns what a tree holds for its own layer into the compressed blob and its digests. */
export async function assembleLayer(
  name: string,
  entries: Iterable<Entry>,
  compress: (pieces: readonly Uint8Array[]) => Promise<Uint8Array>,
): Promise<LayerBlob> {
  const tar = writeTar(entries)
  const members = Promise.all(cutPieces(tar, memberSize).map((pieces) => compress(shareOwned(pieces))))
  const diffID = hashPieces(tar)
  const blob = await members
  const size = blob.reduce((sum, piece) => sum + piece.length, 0)
  return { name, digest: hashPieces(blob), size, diffID, blob }
}

/**
 * The entries of a layer with every directory on the way to them, as the tree has it: an engine that unpacks a layer
 * by itself would otherwise make up their modes.
 */
export function layerEntries(tree: FileTree): Entry[] {
  const entries = new Map(tree.own)
  for (const path of tree.own.keys()) {
    for (const parent of parentsOf(path)) {
      if (entries.has(parent)) continue
      const entry = tree.get(parent)
      if (entry) entries.set(parent, entry)
    }
  }
  return [...entries.values()]
}

function hashPieces(pieces: readonly Uint8Array[]): Digest {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return `sha256:${hash.digest('hex')}`
}

/** Cuts a row of views into groups of `size` bytes; the last is smaller. */
function cutPieces(pieces: readonly Uint8Array[], size: number): Uint8Array[][] {
  const groups: Uint8Array[][] = []
  let group: Uint8Array[] = []
  let room = size
  for (const piece of pieces) {
    let rest = piece
    while (rest.length >= room) {
      group.push(rest.subarray(0, room))
      groups.push(group)
      rest = rest.subarray(room)
      group = []
      room = size
    }
    if (rest.length > 0) {
      group.push(rest)
      room -= rest.length
    }
  }
  if (group.length > 0) groups.push(group)
  return groups
}

/**
 * Neighbouring views of this thread's own memory, such as headers, joined in shared memory; package contents are
 * shared already. A message then copies no bytes.
 */
function shareOwned(pieces: readonly Uint8Array[]): Uint8Array[] {
  const isShared = (piece: Uint8Array): boolean => piece.buffer instanceof SharedArrayBuffer
  const owned = pieces.reduce((sum, piece) => sum + (isShared(piece) ? 0 : piece.length), 0)
  const memory = new Uint8Array(new SharedArrayBuffer(owned))
  const result: Uint8Array[] = []
  let end = 0
  let runStart = 0
  const closeRun = (): void => {
    if (end > runStart) result.push(memory.subarray(runStart, end))
    runStart = end
  }
  for (const piece of pieces) {
    if (isShared(piece)) {
      closeRun()
      result.push(piece)
    } else {
      memory.set(piece, end)
      end += piece.length
    }
  }
  closeRun()
  return result
}
