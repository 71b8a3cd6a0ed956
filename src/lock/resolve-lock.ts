import type { Archive, ArchiveRelease } from '../debian/archive.ts'
import { type Resolution, resolve } from '../debian/resolver.ts'
import type { Definition } from '../definition/definition.ts'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { debianArchitecture, type Platform } from '../lib/platform.ts'
import { findArchSkew, refuseArchSkew } from './arch-skew.ts'
import { assignLayers } from './assign-layers.ts'
import { definitionDigest } from './definition-digest.ts'
import { allPackages, resolveInstaller } from './installer.ts'
import { lockPackage } from './lock-package.ts'
import {
  assemblyVersion,
  type LockedArchive,
  type LockedPackage,
  type LockedPlatform,
  type Lockfile,
  lockVersion,
} from './lockfile.ts'

export interface LockChoices {
  /** The lock so far: its versions are kept where nothing speaks against it. */
  readonly previous?: Lockfile
  /** Names to move to the newest version, or all of them. A name moves all that was built from the same source. */
  readonly update?: readonly string[] | 'all'
  /** Accept that a source package has other versions on other platforms. */
  readonly archSkew?: boolean
}

/**
 * Chooses every package of every platform. Where a source package would differ between platforms, its binaries are
 * moved to the newest first, so that a platform that lagged behind catches up. Throws what `resolve` throws,
 * `unknown-package` for a name to update that is not locked, and `arch-skew`. A lock that would name the same packages is
 * returned as it was.
 */
export function resolveLock(
  definition: Definition,
  archive: Archive,
  { previous, update = [], archSkew = false }: LockChoices = {},
): Lockfile {
  const moving = update === 'all' ? allNames(previous) : movingNames(definition, previous, update)
  const first = resolvePlatforms(definition, archive, previous, moving)
  const skewed = new Set(findArchSkew(first).map(({ source }) => source))
  const lagging = lockedPackages(previous).filter(({ source }) => skewed.has(source))
  const platforms =
    lagging.length === 0
      ? first
      : resolvePlatforms(
          definition,
          archive,
          previous,
          new Set([...moving, ...lagging.map(({ name }) => name)]),
        )
  if (!archSkew) refuseArchSkew(platforms)

  const lock: Lockfile = {
    lockVersion,
    assemblyVersion,
    definition: definitionDigest(definition),
    date: archive.releases
      .map((release) => release.date)
      .sort()
      .at(-1)!,
    archives: archive.releases.map(lockArchive),
    platforms,
    ...lockInstaller(definition, archive, platforms, previous, moving),
  }
  return previous && sameChoice(previous, lock) ? previous : lock
}

/** Every platform for itself; what is locked and not `moving` is kept where nothing speaks against it. */
function resolvePlatforms(
  definition: Definition,
  archive: Archive,
  previous: Lockfile | undefined,
  moving: ReadonlySet<string>,
): Partial<Record<Platform, LockedPlatform>> {
  const resolvePlatform = (platform: Platform): [Platform, LockedPlatform] => {
    const before = previous?.platforms[platform]?.packages ?? []
    const kept = before.filter(({ name }) => !moving.has(name))
    const resolution = resolve({
      index: archive.index(debianArchitecture(platform)),
      wanted: definition.components.map(({ name, packages }) => ({ by: name, packages })),
      ...essentialFor(definition),
      exclude: definition.exclude,
      pins: definition.pins,
      preferred: new Map(kept.map(({ name, version }) => [name, version])),
    })
    return [platform, lockPlatform(definition, resolution)]
  }
  return Object.fromEntries([...definition.platforms].sort().map(resolvePlatform))
}

/** The installer image of every platform for which the archive has Node. */
function lockInstaller(
  definition: Definition,
  archive: Archive,
  platforms: Lockfile['platforms'],
  previous: Lockfile | undefined,
  moving: ReadonlySet<string>,
): Pick<Lockfile, 'installer'> {
  const resolved = Object.entries(platforms).flatMap(([platform, locked]): [string, LockedPackage[]][] => {
    const before = (previous?.installer?.[platform as Platform] ?? []).filter(({ name }) => !moving.has(name))
    const kept = new Map(before.map(({ name, version }) => [name, version]))
    const index = archive.index(debianArchitecture(platform as Platform))
    const packages = resolveInstaller(definition, locked, index, kept)
    return packages ? [[platform, packages]] : []
  })
  return resolved.length === 0 ? {} : { installer: Object.fromEntries(resolved) }
}

function lockedPackages(lock: Lockfile | undefined): LockedPackage[] {
  return Object.keys(lock?.platforms ?? {}).flatMap((platform) => allPackages(lock, platform as Platform))
}

function allNames(lock: Lockfile | undefined): Set<string> {
  return new Set(lockedPackages(lock).map(({ name }) => name))
}

/** The first component that holds the Essential set. */
function essentialFor({ components }: Definition): { essentialFor?: string } {
  const base = components.find(({ essential }) => essential)
  return base ? { essentialFor: base.name } : {}
}

/** The names given, and everything locked that comes from the same sources. */
function movingNames(
  definition: Definition,
  previous: Lockfile | undefined,
  update: readonly string[],
): Set<string> {
  const locked = lockedPackages(previous)
  const asked = new Set(definition.components.flatMap(({ packages }) => packages))
  const moving = new Set<string>()
  for (const name of update) {
    const sources = new Set(
      locked.filter((one) => one.name === name || one.source === name).map(({ source }) => source),
    )
    if (sources.size === 0 && !asked.has(name)) {
      const near = nearest(
        name,
        locked.map((one) => one.name),
        3,
      )
      throw badInput(
        'unknown-package',
        `There is nothing to update: ${name} is not in the lock${near.length === 0 ? '' : `; near to it: ${[...new Set(near)].join(', ')}`}.`,
      )
    }
    for (const one of locked) if (sources.has(one.source)) moving.add(one.name)
  }
  return moving
}

function lockPlatform(definition: Definition, { packages, excluded }: Resolution): LockedPlatform {
  const layerOf = assignLayers(packages, definition)
  const place = (name: string): number => definition.layers.indexOf(layerOf.get(name)!)
  const locked = packages.map((one) => lockPackage(one, layerOf.get(one.package.name)!))
  // The resolution is sorted by name already, and the sort is stable.
  return { packages: locked.sort((a, b) => place(a.name) - place(b.name)), excluded }
}

function lockArchive(release: ArchiveRelease): LockedArchive {
  const { suite, mirror, inRelease, date, validUntil, validUntilWaived, signedBy } = release
  return {
    ...{ suite, mirror, inRelease, date },
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(validUntilWaived === undefined ? {} : { validUntilWaived }),
    signedBy,
  }
}

/** Whether two locks choose the same; only the archive's state may have moved on. */
function sameChoice(a: Lockfile, b: Lockfile): boolean {
  const choice = ({ assemblyVersion, definition, platforms, installer }: Lockfile): string =>
    JSON.stringify([assemblyVersion, definition, platforms, installer])
  return choice(a) === choice(b)
}
