import { gzip } from 'libdeflate'

/** A piece of a layer's tar: views that follow each other, over memory that threads share. */
export interface CompressRequest {
  readonly kind: 'compress'
  readonly pieces: readonly Uint8Array[]
}

/** Level and version of libdeflate both decide the bytes: they are frozen by `assemblyVersion`. */
const level = 1

/**
 * One gzip member (RFC 1952) of a piece. A layer is such members in a row, as the format allows: they are made side by
 * side. The deflate is WebAssembly, since zlib's output differs between CPUs and builds of Node; no name, no time.
 */
export function compress(request: CompressRequest): Uint8Array {
  const length = request.pieces.reduce((sum, piece) => sum + piece.length, 0)
  const whole = new Uint8Array(length)
  let offset = 0
  for (const piece of request.pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return gzip(whole, level)
}
