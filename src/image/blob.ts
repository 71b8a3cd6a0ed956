import { webcrypto } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { type Digest, digestOf } from '../lib/digest.ts'
import type { Descriptor } from './oci.ts'

/** Content that a digest names: in memory, or in a file. */
export type Blob = { readonly digest: Digest; readonly size: number } & (
  | { readonly bytes: Uint8Array }
  | { readonly file: string }
)

/** JSON with keys in the order they were written and no white space: the same object gives the same digest. */
export function jsonBlob(value: unknown): Blob & { readonly bytes: Uint8Array } {
  const bytes = Buffer.from(JSON.stringify(value))
  return { digest: digestOf(bytes), size: bytes.length, bytes }
}

export function describe(mediaType: string, blob: { digest: Digest; size: number }): Descriptor {
  return { mediaType, digest: blob.digest, size: blob.size }
}

/**
 * Whether a file is there with exactly these bytes; false where it cannot be read. Read and hashed off this thread:
 * many at once keep every core busy.
 */
export async function fileHasDigest(
  file: string,
  expected: { digest: Digest; size: number },
): Promise<boolean> {
  try {
    if ((await stat(file)).size !== expected.size) return false
    const hash = await webcrypto.subtle.digest('SHA-256', await readFile(file))
    return expected.digest === `sha256:${Buffer.from(hash).toString('hex')}`
  } catch {
    return false
  }
}
