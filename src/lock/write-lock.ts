import path from 'node:path'
import type { ParentContent } from '../definition/parent-content.ts'
import { writeFileAtomic } from '../lib/atomic.ts'
import { platforms } from '../lib/platform.ts'
import type {
  ExcludedPackage,
  LockedArchive,
  LockedPackage,
  LockedPlatform,
  LockedSource,
  Lockfile,
  RanScript,
} from './lockfile.ts'
import { lockName } from './read-lock.ts'

/** Writes the lock into a product directory, whole or not at all. */
export async function writeLock(directory: string, lock: Lockfile): Promise<void> {
  await writeFileAtomic(path.join(directory, lockName), formatLock(lock))
}

/** The lock's text: JSON, two spaces, keys in a fixed order, one final newline. The same lock gives the same text. */
export function formatLock(lock: Lockfile): string {
  const ordered = {
    lockVersion: lock.lockVersion,
    assemblyVersion: lock.assemblyVersion,
    definition: lock.definition,
    parent: lock.parent && orderParent(lock.parent),
    date: lock.date,
    archives: lock.archives.map(orderArchive),
    platforms: Object.fromEntries(
      platforms.flatMap((platform) => {
        const locked = lock.platforms[platform]
        return locked ? [[platform, orderPlatform(locked)]] : []
      }),
    ),
    installer: lock.installer && orderInstaller(lock.installer),
  }
  return `${JSON.stringify(ordered, undefined, 2)}\n`
}

function orderParent({ name, version, digest, values, files }: ParentContent): ParentContent {
  return { name, version, digest, values, files }
}

function orderInstaller(installer: NonNullable<Lockfile['installer']>) {
  return Object.fromEntries(
    platforms.flatMap((platform) => {
      const packages = installer[platform]
      return packages ? [[platform, packages.map(orderPackage)]] : []
    }),
  )
}

function orderPlatform({ packages, excluded, sources = [], runs = [] }: LockedPlatform): LockedPlatform {
  return {
    packages: packages.map(orderPackage),
    excluded: excluded.map(orderExcluded),
    ...(sources.length > 0 && { sources: sources.map(orderSource) }),
    ...(runs.length > 0 && { runs: runs.map(orderRun) }),
  }
}

// JSON leaves out what is undefined, so each of these only puts keys in order.

function orderArchive(archive: LockedArchive) {
  const { suite, mirror, inRelease, date, validUntil, validUntilWaived, signedBy } = archive
  return { suite, mirror, inRelease, date, validUntil, validUntilWaived, signedBy }
}

function orderPackage(locked: LockedPackage): LockedPackage {
  const { name, version, architecture, source, sourceVersion, suite, path, size, sha256 } = locked
  const { layer, requestedBy, needs } = locked
  return {
    ...{ name, version, architecture, source, sourceVersion, suite, path, size, sha256, layer },
    ...(requestedBy === undefined ? {} : { requestedBy }),
    needs,
  }
}

function orderSource({ component, kind, path, size, sha256, layer }: LockedSource): LockedSource {
  return { component, kind, path, size, sha256, layer }
}

function orderRun({ package: name, version, script, sha256 }: RanScript): RanScript {
  return { package: name, version, script, sha256 }
}

function orderExcluded({ name, version, reason, neededBy }: ExcludedPackage): ExcludedPackage {
  return { name, version, reason, neededBy }
}
