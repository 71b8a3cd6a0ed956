import { createReadStream } from 'node:fs'
import { sha256Hex } from '../lib/digest.ts'
import type { BundledFile } from './format.ts'
import { bundleHeader, paddingOf } from './tar-block.ts'

/** A file of a bundle: bytes in memory, or a file whose SHA-256 is known. */
export type PackedFile = { readonly path: string } & (
  | { readonly bytes: Uint8Array }
  | { readonly file: string; readonly size: number; readonly sha256: string }
)

/** The files as they follow each other in the tar, each with its header and padding. @param date seconds */
export async function* tarBytes(files: readonly PackedFile[], date: number): AsyncGenerator<Uint8Array> {
  for (const file of files) {
    const size = sizeOf(file)
    yield bundleHeader(file.path, size, date)
    if ('bytes' in file) yield file.bytes
    else yield* createReadStream(file.file, { highWaterMark: 1 << 20 })
    yield new Uint8Array(paddingOf(size))
  }
}

/** A file of text. */
export function textFile(path: string, content: string): PackedFile {
  return { path, bytes: Buffer.from(content) }
}

function sizeOf(file: PackedFile): number {
  return 'bytes' in file ? file.bytes.length : file.size
}

/** Bytes that it takes in the tar. */
export function tarSize(file: PackedFile): number {
  const size = sizeOf(file)
  return bundleHeader(file.path, size, 0).length + size + paddingOf(size)
}

/** As `bundle.json` names it. */
export function describeFile(file: PackedFile): BundledFile {
  const sha256 = 'bytes' in file ? sha256Hex(file.bytes) : file.sha256
  return { path: file.path, size: sizeOf(file), sha256 }
}
