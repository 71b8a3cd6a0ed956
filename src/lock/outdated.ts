import type { Archive } from '../debian/archive.ts'
import { matchesPin } from '../debian/resolver-candidates.ts'
import { compareVersions } from '../debian/version.ts'
import { debianArchitecture, type Platform } from '../lib/platform.ts'
import { allPackages } from './installer.ts'
import type { Lockfile } from './lockfile.ts'

/** A locked package that the archive has a newer version of. */
export interface OutdatedPackage {
  readonly platform: Platform
  readonly name: string
  readonly source: string
  readonly version: string
  readonly layer: string
  /** The newest version in the archive, and the suite that has it. */
  readonly newest: string
  readonly suite: string
  /** Whether any newer version comes from the security suite. */
  readonly security: boolean
  /** The pin that holds the newest version back. */
  readonly heldBy?: string
}

/** What the archive has newer than the lock, in the lock's order of platforms, by name. */
export function findOutdated(
  lock: Lockfile,
  archive: Archive,
  pins: Readonly<Record<string, string>>,
): OutdatedPackage[] {
  return (Object.keys(lock.platforms) as Platform[]).flatMap((platform) => {
    const index = archive.index(debianArchitecture(platform))
    const packages = allPackages(lock, platform).sort((a, b) => (a.name < b.name ? -1 : 1))
    return packages.flatMap(({ name, source, version, layer }): OutdatedPackage[] => {
      const newer = index.named(name).filter((one) => compareVersions(one.version, version) > 0)
      const newest = newer[0]
      if (!newest) return []
      const pin = Object.hasOwn(pins, name) ? pins[name] : undefined
      return [
        {
          ...{ platform, name, source, version, layer },
          newest: newest.version,
          suite: newest.suite,
          security: newer.some(({ suite }) => suite.endsWith('-security')),
          ...(pin === undefined || matchesPin(newest.version, pin) ? {} : { heldBy: pin }),
        },
      ]
    })
  })
}
