import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import type { Platform } from '../lib/platform.ts'
import { allPackages } from './installer.ts'
import type { ExcludedPackage, LockedPackage, LockedSource, Lockfile, RanScript } from './lockfile.ts'

/** Why a package is in the image: for each component that leads to it, the shortest way down. */
export interface Why {
  readonly platform: Platform
  readonly name: string
  /** The package, where it is locked. */
  readonly locked?: LockedPackage
  /** Its scripts that run while building; absent where none does. */
  readonly runs?: readonly RanScript[]
  /** The folder or archive of the product's own, where the name is that of one. */
  readonly source?: LockedSource
  /** The dropped dependency, where it is excluded. */
  readonly excluded?: ExcludedPackage
  /** The shortest first. */
  readonly chains: readonly Chain[]
}

export interface Chain {
  readonly component: string
  /** From the package that the component asks for to the one in question. */
  readonly packages: readonly string[]
}

/** Explains a name from the lock alone; throws `not-locked` (exit code 2) where the lock does not have it. */
export function explainWhy(lock: Lockfile, platform: Platform, name: string): Why {
  const { excluded = [], sources = [], runs = [] } = lock.platforms[platform] ?? {}
  const packages = allPackages(lock, platform)
  const byName = new Map(packages.map((one) => [one.name, one]))
  const locked = byName.get(name)
  if (locked) {
    const own = runs.filter((run) => run.package === name)
    const chains = findChains(byName, [name])
    return { platform, name, locked, ...(own.length > 0 && { runs: own }), chains }
  }
  const source = sources.find(({ path }) => path === name || path.endsWith(`/${name}`))
  if (source)
    return { platform, name, source, chains: [{ component: source.component, packages: [source.path] }] }
  const dropped = excluded.find((one) => one.name === name)
  if (dropped) {
    const chains = findChains(byName, dropped.neededBy)
    return {
      platform,
      name,
      excluded: dropped,
      chains: chains.map(({ component, packages: way }) => ({ component, packages: [...way, name] })),
    }
  }
  const near = nearest(
    name,
    [...byName.keys(), ...excluded.map((one) => one.name), ...sources.map((one) => one.path)],
    3,
  )
  const next = near.length > 0 ? `why ${near[0]}` : `sbom --platform ${platform}`
  throw badInput(
    'not-locked',
    `${name} is not in the lock for ${platform}${near.length === 0 ? '; to see all that is' : `; near to it: ${near.join(', ')}. Try`}: ${commandName()} ${next}`,
  )
}

/** Walks up from the goals, so that the first way found to a package is a shortest one. */
function findChains(byName: ReadonlyMap<string, LockedPackage>, goals: readonly string[]): Chain[] {
  const dependents = new Map<string, string[]>()
  for (const { name, needs } of byName.values()) {
    for (const need of needs) {
      const list = dependents.get(need)
      if (list) list.push(name)
      else dependents.set(need, [name])
    }
  }
  const next = new Map<string, string | undefined>()
  const queue = goals.filter((goal) => byName.has(goal))
  for (const goal of queue) next.set(goal, undefined)
  const chains = new Map<string, string[]>()
  for (const name of queue) {
    for (const component of byName.get(name)!.requestedBy ?? []) {
      if (!chains.has(component)) chains.set(component, followDown(next, name))
    }
    for (const dependent of dependents.get(name) ?? []) {
      if (next.has(dependent)) continue
      next.set(dependent, name)
      queue.push(dependent)
    }
  }
  return [...chains].map(([component, packages]) => ({ component, packages }))
}

function followDown(next: ReadonlyMap<string, string | undefined>, from: string): string[] {
  const way: string[] = []
  for (let at: string | undefined = from; at !== undefined; at = next.get(at)) way.push(at)
  return way
}
