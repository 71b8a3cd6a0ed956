import { fileHeader } from '../image/tar-writer.ts'

/** Tar is written and read in blocks of this many bytes (POSIX.1-2017 pax, "ustar Interchange Format"). */
export const block = 512

/** The header of a file of the bundle: the same for the same path, size and date. @param date seconds */
export function bundleHeader(path: string, size: number, date: number): Uint8Array {
  return fileHeader(path, size, date)
}

/** Bytes from the end of a content of `size` bytes to the next header. */
export function paddingOf(size: number): number {
  return (block - (size % block)) % block
}

/** Two blocks of zeros end a tar. */
export const endSize = 2 * block
