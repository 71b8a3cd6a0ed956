import type { Alternatives, Provided } from './dependency.ts'

/** Multi-Arch field values (Debian Policy does not cover them; see dpkg's multiarch specification). */
export type MultiArch = 'no' | 'same' | 'foreign' | 'allowed'

/** A binary package as a Packages index describes it (deb-control(5), Debian repository format). */
export interface BinaryPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Source package and its version: the binary's own where the stanza has no Source field. */
  readonly source: string
  readonly sourceVersion: string
  /** The suite whose index named it: "trixie", "trixie-security". */
  readonly suite: string
  readonly essential: boolean
  /** "required", "important", "standard", "optional" or "extra": decides between providers of a virtual package. */
  readonly priority: string
  readonly multiArch: MultiArch
  readonly preDepends: readonly Alternatives[]
  readonly depends: readonly Alternatives[]
  readonly recommends: readonly Alternatives[]
  readonly conflicts: readonly Alternatives[]
  readonly breaks: readonly Alternatives[]
  readonly replaces: readonly Alternatives[]
  readonly provides: readonly Provided[]
  /** Path below the mirror's root ("pool/main/…"); lock entries carry paths, never hosts. */
  readonly path: string
  /** Bytes of the .deb. */
  readonly size: number
  /** Hex SHA-256 of the .deb. */
  readonly sha256: string
  /** KiB, as the stanza estimates it. */
  readonly installedSize: number
}
