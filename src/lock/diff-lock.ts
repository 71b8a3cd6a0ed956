import { type Platform, platforms } from '../lib/platform.ts'
import { allPackages } from './installer.ts'
import type { LockedPackage, Lockfile } from './lockfile.ts'

export interface LockChange {
  readonly name: string
  /** Absent: it is new. */
  readonly before?: LockedPackage
  /** Absent: it is gone. */
  readonly after?: LockedPackage
}

export interface PlatformDiff {
  readonly platform: Platform
  /** By name; only what was added, removed, or has another version, file or layer. */
  readonly changes: readonly LockChange[]
  /** Bytes of all .debs. */
  readonly sizeBefore: number
  readonly sizeAfter: number
}

/** What changes between two locks, platform by platform; without a lock before, everything is added. */
export function diffLocks(before: Lockfile | undefined, after: Lockfile): PlatformDiff[] {
  const concerned = platforms.filter((platform) => before?.platforms[platform] ?? after.platforms[platform])
  return concerned.map((platform) => {
    const old = packagesOf(before, platform)
    const now = packagesOf(after, platform)
    const names = [...new Set([...old.keys(), ...now.keys()])].sort()
    const changes = names
      .map((name): LockChange => {
        const from = old.get(name)
        const to = now.get(name)
        return { name, ...(from ? { before: from } : {}), ...(to ? { after: to } : {}) }
      })
      .filter(({ before: from, after: to }) => !from || !to || differs(from, to))
    return { platform, changes, sizeBefore: totalSize(old), sizeAfter: totalSize(now) }
  })
}

function packagesOf(lock: Lockfile | undefined, platform: Platform): Map<string, LockedPackage> {
  return new Map(allPackages(lock, platform).map((one) => [one.name, one]))
}

function differs(a: LockedPackage, b: LockedPackage): boolean {
  return a.version !== b.version || a.sha256 !== b.sha256 || a.layer !== b.layer
}

function totalSize(packages: ReadonlyMap<string, LockedPackage>): number {
  return [...packages.values()].reduce((sum, { size }) => sum + size, 0)
}
