import { createHash } from 'node:crypto'

/** An OCI digest, `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md, "Digests"). */
export type Digest = `sha256:${string}`

/** Lower-case hex SHA-256, as Debian's indexes write it. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

export function digestOf(data: string | Uint8Array): Digest {
  return `sha256:${sha256Hex(data)}`
}

export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}
