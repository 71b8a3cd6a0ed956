import type { ParentContent } from '../definition/parent-content.ts'
import type { Digest } from '../lib/digest.ts'
import type { Platform } from '../lib/platform.ts'

/** The version of the lock's own form. */
export const lockVersion = 1

/**
 * Freezes what affects digests: the rules by which packages become bytes. It is raised whenever the same lock would
 * give other bytes, so that an older Slipway refuses a lock it would build differently.
 */
export const assemblyVersion = 2

/** `appliance.lock`: every package of every platform by version and SHA-256, and the archive state it was taken from. */
export interface Lockfile {
  readonly lockVersion: number
  readonly assemblyVersion: number
  /** Digest of the parts of the definition that decide which packages are chosen; differs: the lock is stale. */
  readonly definition: Digest
  /** What the parent brought, where the product extends one; another one by now: the lock is stale. */
  readonly parent?: ParentContent
  /** ISO 8601 UTC; the newest `Date` of the InRelease files, never the clock. */
  readonly date: string
  readonly archives: readonly LockedArchive[]
  readonly platforms: Readonly<Partial<Record<Platform, LockedPlatform>>>
  /** What the installer image holds beside the layers that it shares with the appliance; absent: it cannot be built. */
  readonly installer?: Readonly<Partial<Record<Platform, readonly LockedPackage[]>>>
}

export interface LockedArchive {
  readonly suite: string
  /** Which of the two mirrors serves it. */
  readonly mirror: 'main' | 'security'
  readonly inRelease: Digest
  readonly date: string
  readonly validUntil?: string
  /** Said in words when Valid-Until was not enforced (a snapshot). */
  readonly validUntilWaived?: string
  /** Fingerprints of the primary keys whose signatures verified, upper-case hex. */
  readonly signedBy: readonly string[]
}

export interface LockedPlatform {
  /** Ordered by layer (bottom first), then by name. */
  readonly packages: readonly LockedPackage[]
  readonly excluded: readonly ExcludedPackage[]
  /** Folders and tar archives of the product itself, by component and in its order; absent where there are none. */
  readonly sources?: readonly LockedSource[]
  /** Maintainer scripts that run while building, in a container; absent where none does. */
  readonly runs?: readonly RanScript[]
}

export interface LockedPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
  readonly source: string
  readonly sourceVersion: string
  /** The suite it was taken from; `local` for a .deb of the product itself. */
  readonly suite: string
  /** Below the root of that suite's mirror ("pool/main/o/openssl/libssl3t64_…_amd64.deb"), or the product directory. */
  readonly path: string
  readonly size: number
  /** Hex SHA-256. */
  readonly sha256: string
  /** The layer that holds it: the first that needs it. */
  readonly layer: string
  /** Components that name it themselves; absent where it is only a dependency. */
  readonly requestedBy?: readonly string[]
  /** Names of the locked packages that satisfy its Pre-Depends and Depends, sorted. */
  readonly needs: readonly string[]
}

/** A dependency dropped by the definition's `exclude`. */
export interface ExcludedPackage {
  readonly name: string
  /** The version that would have been taken. */
  readonly version: string
  readonly reason: string
  readonly neededBy: readonly string[]
}

/** A folder or tar archive that a component takes files from. */
export interface LockedSource {
  readonly component: string
  readonly kind: 'directory' | 'tarball'
  /** Below the product directory. */
  readonly path: string
  readonly size: number
  /** Hex SHA-256 of the archive, or of the folder's paths, modes and bytes. */
  readonly sha256: string
  readonly layer: string
}

/** A maintainer script that its recipe lets run itself. */
export interface RanScript {
  readonly package: string
  readonly version: string
  readonly script: 'preinst' | 'postinst'
  /** Hex SHA-256 of the whole script. */
  readonly sha256: string
}
