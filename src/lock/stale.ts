import { matchesPin } from '../debian/resolver-candidates.ts'
import type { Definition } from '../definition/definition.ts'
import type { ParentContent } from '../definition/parent-content.ts'
import { noSources } from '../definition/sources/read-sources.ts'
import { localSuite, type ProductSources } from '../definition/sources/source.ts'
import { commandName, programName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import type { Platform } from '../lib/platform.ts'
import { pinnedLayer } from './assign-layers.ts'
import { definitionDigest } from './definition-digest.ts'
import { describeMove, diffParent } from './diff-parent.ts'
import { lockSources, type WantedPackages, wantedPackages } from './lock-sources.ts'
import { assemblyVersion, type LockedPlatform, type LockedSource, type Lockfile } from './lockfile.ts'
import { lockName } from './read-lock.ts'

/**
 * Throws `stale-lock` (exit code 2), with the reasons, where a lock does not fit its definition, or what its parent
 * brings has changed since.
 */
export function refuseStale(
  definition: Definition,
  lock: Lockfile,
  sources: ProductSources = noSources,
  parent?: ParentContent,
): void {
  refuseMovedParent(lock, parent)
  const reasons = [...missingParent(lock, parent), ...staleReasons(definition, lock, sources)]
  if (reasons.length === 0) return
  const more = reasons.length > 3 ? `; and ${reasons.length - 3} more` : ''
  throw badInput(
    'stale-lock',
    `${lockName} does not fit the definition: ${reasons.slice(0, 3).join('; ')}${more}. Bring it up to date: ${commandName()} lock`,
  )
}

/** Throws `stale-lock` where the parent is not what it was: that is to be looked at before it is taken. */
export function refuseMovedParent(lock: Lockfile, parent: ParentContent | undefined): void {
  if (!lock.parent || !parent || lock.parent.name !== parent.name) return
  const moved = diffParent(lock.parent, parent)
  if (!moved) return
  throw badInput(
    'stale-lock',
    `${describeMove(moved)} since ${lockName} was made. What changes: ${commandName()} diff. To take it: ${commandName()} lock --update ${parent.name}, or all packages' newest too: ${commandName()} lock --update`,
  )
}

function missingParent({ parent: locked }: Lockfile, parent: ParentContent | undefined): string[] {
  if (!parent || locked?.name === parent.name) return []
  return [
    locked
      ? `it was made over ${locked.name}, and the product extends ${parent.name}`
      : `it does not say what ${parent.name} brings, which the product extends`,
  ]
}

/** Why a lock no longer says what its definition asks for; empty: it does. Each reason is a clause without its stop. */
export function staleReasons(
  definition: Definition,
  lock: Lockfile,
  sources: ProductSources = noSources,
): string[] {
  const reasons: string[] = []
  if (lock.assemblyVersion < assemblyVersion) {
    reasons.push(
      `it was made for assemblyVersion ${lock.assemblyVersion}, and this ${programName()} builds by ${assemblyVersion}`,
    )
  }
  const locked = Object.keys(lock.platforms)
  for (const platform of definition.platforms) {
    if (!locked.includes(platform)) reasons.push(`it has nothing for ${platform}`)
  }
  for (const platform of locked) {
    if (!definition.platforms.some((one) => one === platform))
      reasons.push(`${platform} is no longer asked for`)
  }
  const suites = lock.archives.map(({ suite }) => suite)
  const wanted = wantedSuites(definition)
  if (suites.toSorted().join() !== wanted.toSorted().join()) {
    reasons.push(`it was made from ${suites.join(', ')}, and the definition reads ${wanted.join(', ')}`)
  }
  const asked = wantedPackages(definition, sources)
  const perPlatform = Object.entries(lock.platforms).flatMap(([name, platform]) => [
    ...platformReasons(platform, definition, asked),
    ...sourceReasons(platform, lockSources(definition, name as Platform, sources), sources),
  ])
  reasons.push(...new Set(perPlatform))
  if (reasons.length === 0 && lock.definition !== definitionDigest(definition))
    reasons.push('what the definition says about packages and layers has changed')
  return reasons
}

function wantedSuites({ debian }: Definition): string[] {
  const { suite, updates, security } = debian
  return [suite, ...(updates ? [`${suite}-updates`] : []), ...(security ? [`${suite}-security`] : [])]
}

function platformReasons(
  { packages, excluded }: LockedPlatform,
  definition: Definition,
  wanted: readonly WantedPackages[],
): string[] {
  const reasons: string[] = []
  const byName = new Map(packages.map((one) => [one.name, one]))
  const asked = new Map<string, Set<string>>()
  for (const { by, packages: names } of wanted) {
    for (const name of names) {
      asked.set(name, (asked.get(name) ?? new Set()).add(by))
      if (byName.get(name)?.requestedBy?.includes(by)) continue
      reasons.push(`${by} asks for ${name}, which is not locked for it`)
    }
  }
  const essential = new Set(definition.components.filter((one) => one.essential).map(({ name }) => name))
  for (const { name, requestedBy = [], version, layer } of packages) {
    for (const by of requestedBy) {
      if (!asked.get(name)?.has(by) && !essential.has(by)) reasons.push(`${by} no longer asks for ${name}`)
    }
    const pin = Object.hasOwn(definition.pins, name) ? definition.pins[name] : undefined
    if (pin !== undefined && !matchesPin(version, pin)) {
      reasons.push(`${name} is locked at ${version}, and pinned to ${pin}`)
    } else if (pin !== undefined && layer !== pinnedLayer && definition.layers.includes(pinnedLayer)) {
      reasons.push(`${name} is pinned, and not in the layer ${pinnedLayer}`)
    }
    if (!definition.layers.includes(layer)) reasons.push(`the layer ${layer}, which holds ${name}, is gone`)
    if (Object.hasOwn(definition.exclude, name)) reasons.push(`${name} is locked, and excluded`)
  }
  for (const { name, reason } of excluded) {
    if (!Object.hasOwn(definition.exclude, name)) reasons.push(`${name} is no longer excluded`)
    else if (definition.exclude[name] !== reason) reasons.push(`the reason for excluding ${name} has changed`)
  }
  return reasons
}

/** Local packages, folders and archives that are other than they were locked. */
function sourceReasons(
  { packages, sources: locked = [] }: LockedPlatform,
  wanted: readonly LockedSource[],
  { debs }: ProductSources,
): string[] {
  const reasons: string[] = []
  for (const one of packages.filter(({ suite }) => suite === localSuite)) {
    const deb = debs.find((candidate) => candidate.package.path === one.path)
    if (!deb) reasons.push(`${one.path} is no longer among the sources`)
    else if (deb.package.sha256 !== one.sha256) reasons.push(`${one.path} has changed since it was locked`)
  }
  const key = ({ component, path }: LockedSource): string => `${component} ${path}`
  const before = new Map(locked.map((one) => [key(one), one]))
  for (const one of wanted) {
    const old = before.get(key(one))
    before.delete(key(one))
    if (!old) reasons.push(`${one.path} of ${one.component} is not locked`)
    else if (old.sha256 !== one.sha256) reasons.push(`${one.path} has changed since it was locked`)
  }
  for (const { component, path } of before.values()) {
    reasons.push(`${path} of ${component} is no longer among the sources`)
  }
  return reasons
}
