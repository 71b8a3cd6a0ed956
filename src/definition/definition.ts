import type { DebianSource } from '../debian/source.ts'
import type { Platform } from '../lib/platform.ts'
import type { Roots } from './roots.ts'
import type { SourceRule } from './sources/source.ts'

/** A product directory, loaded and checked: the four places of docs/architecture.md as one object. */
export interface Definition {
  /** Absolute path of the product directory. */
  readonly directory: string
  /** Where its files are looked for: its own directory, then those it extends. */
  readonly roots: Roots
  /** The product that it extends, where it does. */
  readonly parent?: Parent
  /** Lower-case name: image name, labels, file names. */
  readonly name: string
  /** Semantic version of the appliance's release. */
  readonly version: string
  readonly description: string
  readonly debian: DebianSource
  readonly platforms: readonly Platform[]
  /** Layer names, bottom to top. The last is the brand's. */
  readonly layers: readonly string[]
  /** Library package name → exact version or a pattern with `*`. Pinned packages go into the `libraries` layer. */
  readonly pins: Readonly<Record<string, string>>
  /** Package name → why this appliance does without it. */
  readonly exclude: Readonly<Record<string, string>>
  /** Paths left out of the image by rule (documentation, locales), each with its reason. */
  readonly omit: readonly OmitRule[]
  /** Package name → why its maintainer scripts, with these hashes, may be left unrun. */
  readonly accept: readonly AcceptedScript[]
  /** Absolute paths of the partner's public keys: whose signatures on licences count. */
  readonly keys: readonly string[]
  readonly brand: Brand
  /** In layer order. */
  readonly components: readonly Component[]
  readonly checks: readonly Check[]
  /** Where the product's own Compose file is or would be, absolute: relative paths in it begin here. */
  readonly composeFile: string
  /** Folders searched for recipes, in order: the product's own, its parents', then Slipway's. */
  readonly recipeFolders: readonly string[]
}

/** A product that another extends. */
export interface Parent {
  readonly name: string
  readonly version: string
  readonly directory: string
}

/**
 * `path` is a glob on absolute image paths: `*` stands for anything but `/`, `**` for anything. The `except` globs
 * keep what they match.
 */
export interface OmitRule {
  readonly path: string
  readonly except: readonly string[]
  readonly reason: string
}

export interface AcceptedScript {
  readonly package: string
  /** "postinst", "preinst" … */
  readonly script: string
  /** Digest of what is left of the script, as a recipe would give it. */
  readonly sha256: string
  readonly reason: string
}

export interface Brand {
  readonly vendor: string
  readonly product: string
  /** Command name the user types. */
  readonly command: string
  /** Where to ask for help. */
  readonly support: string
  /** A few lines shown at the start of a shell in the appliance. */
  readonly banner?: string
  /** For pages and papers: `#rrggbb`. */
  readonly colours?: { readonly primary: string; readonly accent?: string }
  /** Absolute path of an SVG or PNG file. */
  readonly logo?: string
}

/** `images/<name>/component.yaml` with its `rootfs/`. */
export interface Component {
  readonly name: string
  readonly layer: string
  /** Package names from the archive. */
  readonly packages: readonly string[]
  /** Whether all Essential packages belong to it (the base). */
  readonly essential: boolean
  readonly groups: readonly Group[]
  readonly users: readonly User[]
  readonly directories: readonly DirectoryRule[]
  /** Mode or owner of overlay files that need other than 0644/0755 root:root; paths absolute in the image. */
  readonly files: readonly FileRule[]
  readonly links: readonly LinkRule[]
  /** Absolute paths of its overlay folders, lowest first: a file of the latter replaces one of the former. */
  readonly rootfs: readonly string[]
  /** Local packages, folders and tar archives, in the order of the file. */
  readonly sources: readonly SourceRule[]
  /** Ports the image declares: "53/udp". */
  readonly ports: readonly string[]
  readonly checks: readonly Check[]
  /** The feature that a licence must grant where this component runs. */
  readonly licence?: string
}

export interface Group {
  readonly name: string
  readonly gid: number
}

export interface User {
  readonly name: string
  readonly uid: number
  readonly group: string
  readonly home: string
  readonly shell: string
  readonly comment: string
}

export interface DirectoryRule {
  readonly path: string
  readonly mode: number
  readonly owner: string
  readonly group: string
}

export interface FileRule {
  readonly path: string
  readonly mode?: number
  readonly owner?: string
  readonly group?: string
}

export interface LinkRule {
  readonly path: string
  readonly target: string
}

/** What `slipway test` looks at on a built layout. Exactly one key each. */
export type Check =
  | { readonly file: string; readonly mode?: number; readonly owner?: string; readonly contains?: string }
  | { readonly absent: string }
  | { readonly package: string; readonly version?: string }
  | { readonly user: string; readonly uid: number }
  | { readonly port: string }
