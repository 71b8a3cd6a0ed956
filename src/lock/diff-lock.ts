import { type Platform, platforms } from '../lib/platform.ts'
import { allPackages } from './installer.ts'
import type { LockedPackage, LockedSource, Lockfile, RanScript } from './lockfile.ts'

export interface LockChange {
  readonly name: string
  /** Absent: it is new. */
  readonly before?: LockedPackage
  /** Absent: it is gone. */
  readonly after?: LockedPackage
}

export interface SourceChange {
  /** Below the product directory. */
  readonly path: string
  /** Absent: it is new. */
  readonly before?: LockedSource
  /** Absent: it is gone. */
  readonly after?: LockedSource
}

export interface PlatformDiff {
  readonly platform: Platform
  /** By name; only what was added, removed, or has another version, file or layer. */
  readonly changes: readonly LockChange[]
  /** The product's own folders and archives: added, removed, or with another hash or layer; absent where none changed. */
  readonly sources?: readonly SourceChange[]
  /** Maintainer scripts that run while building; absent where none does. */
  readonly runs?: readonly RanScript[]
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
    const sources = diffSources(before?.platforms[platform]?.sources, after.platforms[platform]?.sources)
    const runs = after.platforms[platform]?.runs
    const own = { ...(sources.length > 0 && { sources }), ...(runs && { runs }) }
    return { platform, changes, ...own, sizeBefore: totalSize(old), sizeAfter: totalSize(now) }
  })
}

function diffSources(
  before: readonly LockedSource[] = [],
  after: readonly LockedSource[] = [],
): SourceChange[] {
  const key = ({ component, path }: LockedSource): string => `${component} ${path}`
  const old = new Map(before.map((one) => [key(one), one]))
  const now = new Map(after.map((one) => [key(one), one]))
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((name) => {
    const from = old.get(name)
    const to = now.get(name)
    if (from && to && from.sha256 === to.sha256 && from.layer === to.layer) return []
    return [{ path: (to ?? from)!.path, ...(from && { before: from }), ...(to && { after: to }) }]
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
