import type { BinaryPackage } from '../../debian/package.ts'
import type { Platform } from '../../lib/platform.ts'

/** Something else than the archive that a component takes files from (`sources` of `component.yaml`). */
export type SourceRule = DebRule | TreeRule

/** A `.deb` of the product: resolved together with the archive's packages, in place of the archive's of that name. */
export interface DebRule {
  readonly kind: 'deb'
  /** Below the product directory, forward slashes: "images/acme/acme-agent_1.2_amd64.deb". */
  readonly path: string
}

/** A folder or a tar archive whose content goes below `target`. */
export interface TreeRule {
  readonly kind: 'directory' | 'tarball'
  readonly path: string
  /** Absolute path in the image. */
  readonly target: string
  /** How many leading folders of a tar archive's paths are dropped; what lies less deep is left out. */
  readonly strip: number
  readonly owner: string
  readonly group: string
  /** The last rule whose glob (on paths below `target`) matches counts; no rule: as the source has it. */
  readonly modes: readonly { readonly glob: string; readonly mode: number }[]
  /** Absent: for every platform. */
  readonly platforms?: readonly Platform[]
}

/** The suite that a local package counts as: where the lock says this, its path is below the product directory. */
export const localSuite = 'local'

/** What a product's sources are on this disk: packages read, folders and archives hashed. */
export interface ProductSources {
  readonly debs: readonly LocalDeb[]
  readonly trees: readonly SourceTree[]
}

export interface LocalDeb {
  /** The component that asks for it. */
  readonly component: string
  /** `suite` is `localSuite`, `path` as in its rule. */
  readonly package: BinaryPackage
}

export interface SourceTree {
  readonly component: string
  readonly rule: TreeRule
  /** Bytes of the archive, or of the folder's files. */
  readonly size: number
  /** Hex SHA-256 of the archive, or of the folder's paths, modes and bytes. */
  readonly sha256: string
  /** Reads what goes into the image, ordered; throws `bad-source` where it may not. */
  entries(): Promise<SourceEntry[]>
}

/** A path of a source, relative to its target. */
export interface SourceEntry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink'
  readonly mode: number
  readonly content?: Uint8Array
  /** Symlink: the text of the link. Hard link: the path of its target, relative to the source's target. */
  readonly target?: string
}
