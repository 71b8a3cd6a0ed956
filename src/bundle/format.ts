import type { Digest } from '../lib/digest.ts'
import type { Platform } from '../lib/platform.ts'
import { lockName } from '../lock/read-lock.ts'

/** The version of the bundle's own form; a higher one is refused. */
export const bundleFormat = 1

export const manifestName = 'bundle.json'
export const signatureName = 'bundle.json.sig'
/** What `docker load` reads of the bundle's beginning. */
export const dockerManifestName = 'manifest.json'
export const layoutName = 'oci-layout'
export const indexName = 'index.json'
/** Where the product directory is, less what is in the image already; each one that it extends lies beside it. */
export const productFolder = 'product'

export const lockPath = `${productFolder}/${lockName}`

export function isProductFile(path: string): boolean {
  return /^product(?:-parent-\d+)?\//.test(path)
}

const blobFolder = 'blobs/sha256/'

/** No honest bundle comes near these; a hostile one is refused before it costs memory or time. */
export const limits = {
  files: 4096,
  manifest: 8 << 20,
  signature: 1024,
  /** A JSON blob, or one of the product's files. */
  file: 32 << 20,
  /** All of those together. */
  smallFiles: 128 << 20,
  /** All layers when they are unpacked. */
  unpacked: 16 * 2 ** 30,
  /** An image's package database. */
  status: 64 << 20,
} as const

export type Role = 'appliance' | 'installer'

/** `bundle.json`: everything else in the file is named here by size and digest, and this is what is signed. */
export interface BundleManifest {
  readonly format: typeof bundleFormat
  readonly kind: 'full' | 'update'
  /** ID of the key that signed it; absent in a bundle that nobody signed. */
  readonly key?: string
  readonly product: BundleProduct
  readonly platform: Platform
  /** ISO 8601, the lock's: it dates every entry of the tar. */
  readonly date: string
  /** Update: the release whose layers it stands on. */
  readonly since?: { readonly version: string; readonly bundle: Digest }
  /** The first bytes, which by themselves are an archive of the installer image that `docker load` reads. */
  readonly prefix: { readonly files: number; readonly size: number }
  readonly images: readonly BundledImage[]
  /** Every file of the tar in its order, but for `bundle.json` and `bundle.json.sig`, which follow the prefix. */
  readonly files: readonly BundledFile[]
}

export interface BundleProduct {
  readonly name: string
  readonly version: string
  readonly command: string
  readonly vendor: string
  readonly product: string
  readonly support: string
}

export interface BundledImage {
  readonly role: Role
  /** "name:tag" that it gets in an Engine. */
  readonly reference: string
  readonly manifest: BundledBlob
  /** The configuration: its digest is the image's ID. */
  readonly config: BundledBlob
  /** Bottom first. */
  readonly layers: readonly BundledLayer[]
  /** What its package database says is installed. */
  readonly packages: {
    /** Digest of "name version" lines in the order of the names. */
    readonly sha256: string
    /** The layer whose database it is: the topmost that has one. */
    readonly layer: Digest
  }
}

export interface BundledBlob {
  readonly digest: Digest
  readonly size: number
}

export interface BundledLayer extends BundledBlob {
  readonly name: string
  readonly diffId: Digest
  /** Bytes of its tar. */
  readonly unpacked: number
  /** Update: not in the file, because the release it stands on has it. */
  readonly absent?: true
}

export interface BundledFile {
  readonly path: string
  readonly size: number
  readonly sha256: string
}

export function blobPath(digest: string): string {
  return `${blobFolder}${digest.slice('sha256:'.length)}`
}

/** The digest that a blob's path names; undefined for another file. */
export function digestOfPath(path: string): Digest | undefined {
  const hex = path.startsWith(blobFolder) ? path.slice(blobFolder.length) : ''
  return /^[0-9a-f]{64}$/.test(hex) ? `sha256:${hex}` : undefined
}
