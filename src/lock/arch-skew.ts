import { commandName } from '../lib/command-name.ts'
import { SlipwayError } from '../lib/errors.ts'
import type { LockedPlatform } from './lockfile.ts'

/** A source package whose binaries are of other versions on another platform. */
export interface ArchSkew {
  readonly source: string
  /** Platform → its source versions, joined. */
  readonly versions: Readonly<Record<string, string>>
}

/** Sources that several platforms have, at versions that differ, by name. Rebuilds (`+b1`) do not count. */
export function findArchSkew(platforms: Readonly<Record<string, LockedPlatform>>): ArchSkew[] {
  const bySource = new Map<string, Record<string, Set<string>>>()
  for (const [platform, { packages }] of Object.entries(platforms)) {
    for (const { source, sourceVersion } of packages) {
      const versions = bySource.get(source) ?? {}
      bySource.set(source, versions)
      versions[platform] = (versions[platform] ?? new Set()).add(sourceVersion)
    }
  }
  return [...bySource]
    .map(([source, versions]) => ({ source, versions: joined(versions) }))
    .filter(({ versions }) => new Set(Object.values(versions)).size > 1)
    .sort((a, b) => (a.source < b.source ? -1 : 1))
}

/** "nettle is 3.10-2 for linux/amd64 and 3.10-1 for linux/arm64". */
export function describeArchSkew({ source, versions }: ArchSkew): string {
  const each = Object.entries(versions).map(([platform, version]) => `${version} for ${platform}`)
  return `${source} is ${each.join(' and ')}`
}

/** Throws `arch-skew` where a source package differs between platforms. */
export function refuseArchSkew(platforms: Readonly<Record<string, LockedPlatform>>): void {
  const skews = findArchSkew(platforms)
  if (skews.length === 0) return
  const told = skews.map(describeArchSkew)
  throw new SlipwayError(
    'arch-skew',
    `The archive does not have the same versions for all platforms: ${told.join('; ')}. Wait until it has, pin the older one, or accept it: ${commandName()} lock --arch-skew`,
  )
}

function joined(versions: Readonly<Record<string, Set<string>>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(versions).map(([platform, set]) => [platform, [...set].sort().join(', ')]),
  )
}
