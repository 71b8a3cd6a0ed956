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

/** Whether a header's checksum is that of its bytes, its own field counted as blanks. */
export function isHeaderWhole(header: Uint8Array): boolean {
  let sum = 0
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte
  return octalField(header, 148, 8) === sum
}

/** A field in octal digits; undefined for anything else, GNU's binary numbers among it. */
export function octalField(header: Uint8Array, offset: number, length: number): number | undefined {
  const digits = textField(header, offset, length).trim()
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}

/** A field of text, up to its first zero. */
export function textField(header: Uint8Array, offset: number, length: number): string {
  const field = Buffer.from(header.subarray(offset, offset + length))
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}
