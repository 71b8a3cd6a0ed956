import type { Archive, ArchiveRelease } from '../debian/archive.ts'
import { type Resolution, resolve } from '../debian/resolver.ts'
import type { Definition } from '../definition/definition.ts'
import type { ParentContent } from '../definition/parent-content.ts'
import { noSources } from '../definition/sources/read-sources.ts'
import type { ProductSources } from '../definition/sources/source.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { debianArchitecture, type Platform } from '../lib/platform.ts'
import { findArchSkew, refuseArchSkew } from './arch-skew.ts'
import { assignLayers } from './assign-layers.ts'
import { definitionDigest } from './definition-digest.ts'
import { allPackages, resolveInstaller } from './installer.ts'
import { lockPackage } from './lock-package.ts'
import { lockSources, type WantedPackages, wantedPackages, withLocalDebs } from './lock-sources.ts'
import {
  assemblyVersion,
  type LockedArchive,
  type LockedPackage,
  type LockedPlatform,
  type LockedSource,
  type Lockfile,
  lockVersion,
} from './lockfile.ts'
import { refuseStrayExcludes } from './stray-excludes.ts'

export interface LockChoices {
  /** The lock so far: its versions are kept where nothing speaks against it. */
  readonly previous?: Lockfile
  /** Names to move to the newest version, or all of them. A name moves all that was built from the same source. */
  readonly update?: readonly string[] | 'all'
  /** What the components' `sources` are; a definition without any needs none. */
  readonly sources?: ProductSources
  /** Accept that a source package has other versions on other platforms. */
  readonly archSkew?: boolean
  /** What the definition's parent brings. */
  readonly parent?: ParentContent | undefined
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
  { previous, update = [], archSkew = false, sources = noSources, parent }: LockChoices = {},
): Lockfile {
  const wanted = wantedPackages(definition, sources)
  const moving = update === 'all' ? allNames(previous) : movingNames(wanted, previous, update)
  const request = { definition, archive, previous, sources, wanted }
  const first = resolvePlatforms(request, moving)
  const skewed = new Set(findArchSkew(first).map(({ source }) => source))
  const lagging = lockedPackages(previous).filter(({ source }) => skewed.has(source))
  const platforms =
    lagging.length === 0
      ? first
      : resolvePlatforms(request, new Set([...moving, ...lagging.map(({ name }) => name)]))
  if (!archSkew) refuseArchSkew(platforms)
  const indexes = definition.platforms.map((platform) => archive.index(debianArchitecture(platform)))
  refuseStrayExcludes(definition.exclude, indexes, platforms)

  const lock: Lockfile = {
    lockVersion,
    assemblyVersion,
    definition: definitionDigest(definition),
    ...(parent && { parent }),
    date: archive.releases
      .map((release) => release.date)
      .sort()
      .at(-1)!,
    archives: archive.releases.map(lockArchive),
    platforms,
    ...lockInstaller(request, platforms, moving),
  }
  return previous && sameChoice(previous, lock) ? previous : lock
}

/** What every round of resolving starts from. */
interface LockRequest {
  readonly definition: Definition
  readonly archive: Archive
  readonly previous: Lockfile | undefined
  readonly sources: ProductSources
  readonly wanted: readonly WantedPackages[]
}

/** Every platform for itself; what is locked and not `moving` is kept where nothing speaks against it. */
function resolvePlatforms(
  { definition, archive, previous, sources, wanted }: LockRequest,
  moving: ReadonlySet<string>,
): Partial<Record<Platform, LockedPlatform>> {
  const resolvePlatform = (platform: Platform): [Platform, LockedPlatform] => {
    const before = previous?.platforms[platform]?.packages ?? []
    const kept = before.filter(({ name }) => !moving.has(name))
    const resolution = resolve({
      index: withLocalDebs(archive.index(debianArchitecture(platform)), sources.debs),
      wanted,
      ...essentialFor(definition),
      exclude: definition.exclude,
      pins: definition.pins,
      preferred: new Map(kept.map(({ name, version }) => [name, version])),
    })
    return [platform, lockPlatform(definition, resolution, lockSources(definition, platform, sources))]
  }
  return Object.fromEntries([...definition.platforms].sort().map(resolvePlatform))
}

/** The installer image of every platform for which the archive has Node. */
function lockInstaller(
  { definition, archive, previous, sources }: LockRequest,
  platforms: Lockfile['platforms'],
  moving: ReadonlySet<string>,
): Pick<Lockfile, 'installer'> {
  const resolved = Object.entries(platforms).flatMap(([platform, locked]): [string, LockedPackage[]][] => {
    const before = (previous?.installer?.[platform as Platform] ?? []).filter(({ name }) => !moving.has(name))
    const kept = new Map(before.map(({ name, version }) => [name, version]))
    const index = withLocalDebs(archive.index(debianArchitecture(platform as Platform)), sources.debs)
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
  wanted: readonly WantedPackages[],
  previous: Lockfile | undefined,
  update: readonly string[],
): Set<string> {
  const locked = lockedPackages(previous)
  const asked = new Set(wanted.flatMap(({ packages }) => packages))
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
        'not-locked',
        `There is nothing to update: ${name} is not in the lock${near.length === 0 ? '' : `; near to it: ${[...new Set(near)].join(', ')}`}. To move them all: ${commandName()} lock --update`,
      )
    }
    for (const one of locked) if (sources.has(one.source)) moving.add(one.name)
  }
  return moving
}

function lockPlatform(
  definition: Definition,
  { packages, excluded }: Resolution,
  sources: readonly LockedSource[],
): LockedPlatform {
  const layerOf = assignLayers(packages, definition)
  const place = (name: string): number => definition.layers.indexOf(layerOf.get(name)!)
  const locked = packages.map((one) => lockPackage(one, layerOf.get(one.package.name)!))
  // The resolution is sorted by name already, and the sort is stable.
  return {
    packages: locked.sort((a, b) => place(a.name) - place(b.name)),
    excluded,
    ...(sources.length > 0 && { sources }),
  }
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

/** Whether two locks choose the same; only the archive's state may have moved on. What runs is found out later. */
function sameChoice(a: Lockfile, b: Lockfile): boolean {
  const choice = ({ assemblyVersion, definition, parent, platforms, installer }: Lockfile): string => {
    const chosen = Object.entries(platforms).map(([name, { runs: _, ...platform }]) => [name, platform])
    return JSON.stringify([assemblyVersion, definition, parent, chosen, installer])
  }
  return choice(a) === choice(b)
}
