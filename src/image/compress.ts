import { gzipSync } from 'fflate'

/** A piece of a layer's tar: views that follow each other, over memory that threads share. */
export interface CompressRequest {
  readonly kind: 'compress'
  readonly pieces: readonly Uint8Array[]
}

/** Frozen by `assemblyVersion`, as is fflate's version: both decide the bytes. */
const level = 4

/**
 * One gzip member (RFC 1952) of a piece. A layer is such members in a row, as the format allows: they are made side by
 * side. The deflate is JavaScript, since zlib's output differs between CPUs and builds of Node; no name, no time.
 */
export function compress(request: CompressRequest): Uint8Array {
  const length = request.pieces.reduce((sum, piece) => sum + piece.length, 0)
  const whole = new Uint8Array(length)
  let offset = 0
  for (const piece of request.pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return gzipSync(whole, { level, mem: 8, mtime: 0 })
}
