import path from 'node:path'

/** A .deb as a lock or an index names it. */
export interface DebFile {
  /** Below the mirror's root: "pool/main/o/openssl/openssl_3.5.1-1_amd64.deb". */
  readonly path: string
  readonly size: number
  /** Hex SHA-256. */
  readonly sha256: string
  /** Says which of the two mirrors has it. */
  readonly suite: string
}

/** The name that a .deb has in a pool, and in a vendor folder. */
export function debFileName(deb: DebFile): string {
  return path.posix.basename(deb.path)
}
