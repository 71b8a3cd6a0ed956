import type { Alternatives } from './dependency.ts'
import type { BinaryPackage } from './package.ts'
import type { PackageIndex } from './package-index.ts'
import { createCandidates } from './resolver-candidates.ts'
import { checkPins, checkWanted } from './resolver-request.ts'
import { search } from './resolver-search.ts'
import type { Selection } from './resolver-selection.ts'

/** What to resolve for one architecture. */
export interface ResolveRequest {
  readonly index: PackageIndex
  /** Packages asked for, and by whom: component names. The order does not matter. */
  readonly wanted: readonly { readonly by: string; readonly packages: readonly string[] }[]
  /** Who asks for all Essential packages; absent: nobody. */
  readonly essentialFor?: string
  /** Recommends are followed where they can be met. */
  readonly recommends?: boolean
  /** Name → why the appliance does without it. A clause that names one counts as met. */
  readonly exclude?: Readonly<Record<string, string>>
  /** Name → exact version or pattern with `*`. */
  readonly pins?: Readonly<Record<string, string>>
  /** Name → version to keep while nothing speaks against it. */
  readonly preferred?: ReadonlyMap<string, string>
}

export interface ResolvedPackage {
  readonly package: BinaryPackage
  /** Sorted; empty where it is only a dependency. */
  readonly requestedBy: readonly string[]
  /** Names of the chosen packages that meet its Pre-Depends and Depends, sorted. */
  readonly needs: readonly string[]
}

export interface DroppedDependency {
  readonly name: string
  /** The version that would have been taken; empty for a name that no package in the archive bears. */
  readonly version: string
  readonly reason: string
  /** Sorted; "essential" where it is in the Essential set. */
  readonly neededBy: readonly string[]
}

/** Both lists sorted by name. */
export interface Resolution {
  readonly packages: readonly ResolvedPackage[]
  readonly excluded: readonly DroppedDependency[]
}

/**
 * Chooses a closed, conflict-free set of packages: the newest versions, or the preferred ones, that the pins allow
 * (Debian Policy 7). Choices fall as apt's do: what was asked for first, then depth first in the order of Pre-Depends and
 * Depends; an alternative already chosen, else the first that works; a choice that leads nowhere is reconsidered.
 * Throws `unknown-package`, `impossible-pin` or `impossible-set`, each naming the requirements that meet.
 */
export function resolve(request: ResolveRequest): Resolution {
  const { index, exclude = {}, pins = {}, preferred = new Map() } = request
  const wanted = collectWanted(request)
  checkWanted(index, wanted, exclude)
  checkPins(index, pins)
  const excluded = excludedVersions(index, exclude)
  const selection = search({
    index,
    candidates: createCandidates(index, { pins, exclude, preferred }),
    wanted,
    pins,
    excluded,
    recommends: request.recommends ?? false,
  })
  return {
    packages: describePackages(selection, wanted),
    excluded: describeExcluded(request, selection, excluded),
  }
}

/** Name → who asks for it, names sorted. */
function collectWanted({
  index,
  wanted,
  essentialFor,
  exclude = {},
}: ResolveRequest): Map<string, Set<string>> {
  const requesters: [string, string][] = wanted.flatMap(({ by, packages }) =>
    packages.map((name): [string, string] => [name, by]),
  )
  if (essentialFor !== undefined) {
    for (const name of essentialNames(index)) {
      if (!Object.hasOwn(exclude, name)) requesters.push([name, essentialFor])
    }
  }
  const byName = new Map<string, Set<string>>()
  for (const [name, by] of requesters.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    byName.set(name, (byName.get(name) ?? new Set()).add(by))
  }
  return byName
}

/** Names whose newest version is Essential. */
function essentialNames(index: PackageIndex): Set<string> {
  const names = new Set<string>()
  for (const one of index.packages()) {
    if (one.essential && index.named(one.name)[0] === one) names.add(one.name)
  }
  return names
}

/** Excluded name → the version that it would have, empty for a name that the archive does not know. */
function excludedVersions(
  index: PackageIndex,
  exclude: Readonly<Record<string, string>>,
): Map<string, string> {
  const versions = new Map<string, string>()
  for (const name of Object.keys(exclude)) {
    const provider = index.providing(name)[0]
    versions.set(name, index.named(name)[0]?.version ?? provider?.version ?? provider?.package.version ?? '')
  }
  return versions
}

function describePackages(
  selection: Selection,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
): ResolvedPackage[] {
  return [...selection.packages.values()].sort(byName).map((one) => {
    const needs = clausesOf(one).flatMap((clause) => selection.meeting(clause)?.name ?? [])
    return {
      package: one,
      requestedBy: [...(wanted.get(one.name) ?? [])].sort(),
      needs: [...new Set(needs)].filter((name) => name !== one.name).sort(),
    }
  })
}

function describeExcluded(
  { index, exclude = {}, essentialFor }: ResolveRequest,
  selection: Selection,
  versions: ReadonlyMap<string, string>,
): DroppedDependency[] {
  const neededBy = new Map(Object.keys(exclude).map((name) => [name, new Set<string>()]))
  for (const one of selection.packages.values()) {
    for (const clause of clausesOf(one)) {
      if (selection.meeting(clause)) continue
      for (const { name } of clause) neededBy.get(name)?.add(one.name)
    }
  }
  if (essentialFor !== undefined) {
    for (const name of essentialNames(index)) neededBy.get(name)?.add('essential')
  }
  return [...neededBy]
    .filter(([, needing]) => needing.size > 0)
    .map(([name, needing]) => ({
      name,
      version: versions.get(name)!,
      reason: exclude[name]!,
      neededBy: [...needing].sort(),
    }))
    .sort(byName)
}

function clausesOf(one: BinaryPackage): readonly Alternatives[] {
  return [...one.preDepends, ...one.depends]
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
