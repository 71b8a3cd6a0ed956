import path from 'node:path'
import { openArchive } from '../debian/archive.ts'
import { fetchDebs } from '../debian/deb-store.ts'
import { findRecipes } from '../debian/recipe-load.ts'
import { loadDefinition } from '../definition/load.ts'
import { locateDebs } from '../definition/sources/locate-debs.ts'
import { readSources } from '../definition/sources/read-sources.ts'
import { formatBytes } from '../lib/bytes.ts'
import { cacheFolder } from '../lib/cache.ts'
import { commandName } from '../lib/command-name.ts'
import { debianArchitecture } from '../lib/platform.ts'
import { describeArchSkew, findArchSkew } from '../lock/arch-skew.ts'
import { diffLocks, type LockChange, type PlatformDiff, type SourceChange } from '../lock/diff-lock.ts'
import type { LockedSource, Lockfile } from '../lock/lockfile.ts'
import { findLock, lockName } from '../lock/read-lock.ts'
import { recordRuns } from '../lock/record-runs.ts'
import { resolveLock } from '../lock/resolve-lock.ts'
import { refuseMovedParent } from '../lock/stale.ts'
import { writeLock } from '../lock/write-lock.ts'
import type { Context } from './context.ts'
import { describeParentDiff } from './describe-parent.ts'
import { readParentState } from './parent-diff.ts'

export interface LockOptions {
  readonly directory: string
  /** `true` where the option stands without names. */
  readonly update?: readonly string[] | true
  readonly archSkew?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

export async function run(context: Context, options: LockOptions): Promise<undefined> {
  const directory = path.resolve(context.cwd, options.directory)
  const definition = await loadDefinition(directory)
  const previous = await findLock(directory)
  const cache = cacheFolder(context.env)
  const parent = await readParentState(definition, previous)
  const update = options.update === true ? 'all' : (options.update ?? [])
  const takes = update === 'all' || update.includes(parent.now?.name ?? '')
  if (previous && !takes) refuseMovedParent(previous, parent.now)
  const archive = await openArchive(definition.debian, {
    architectures: definition.platforms.map(debianArchitecture),
    cache,
    env: context.env,
    report: context.report,
    signal: context.signal,
  })
  const resolved = resolveLock(definition, archive, {
    ...(previous ? { previous } : {}),
    update: update === 'all' ? update : update.filter((name) => name !== parent.now?.name),
    parent: parent.now,
    archSkew: options.archSkew ?? false,
    sources: await readSources(definition),
  })
  const recipes = await findRecipes(definition.recipeFolders)
  const lock = await recordRuns(resolved, definition, recipes, (packages) =>
    locateDebs(definition, packages, (archived) =>
      fetchDebs(archived, definition.debian, { ...context, cache }),
    ),
  )
  const changed = lock !== previous
  context.signal.throwIfAborted()
  if (changed && !options.dryRun) await writeLock(directory, lock)

  const platforms = diffLocks(previous, lock)
  const archSkew = findArchSkew(lock.platforms)
  if (options.json) {
    const written = changed && !options.dryRun
    context.print(
      JSON.stringify({ lock: lockName, changed, written, parent: parent.diff, platforms, archSkew }, null, 2),
    )
    return
  }
  if (parent.diff) for (const line of describeParentDiff(parent.diff)) context.print(line)
  for (const diff of platforms) for (const line of describeDiff(diff, lock)) context.print(line)
  for (const skew of archSkew) context.print(`Accepted: ${describeArchSkew(skew)}.`)
  context.print(describeOutcome(changed, options.dryRun ?? false))
}

export function describeDiff(
  { platform, changes, sources = [], runs = [], sizeBefore, sizeAfter }: PlatformDiff,
  lock: Lockfile,
): string[] {
  const { packages, excluded } = lock.platforms[platform] ?? { packages: [], excluded: [] }
  const grown = sizeAfter - sizeBefore
  const growth =
    sizeBefore === 0 || grown === 0 ? '' : ` (${grown > 0 ? '+' : '−'}${formatBytes(Math.abs(grown))})`
  const left = excluded.length === 0 ? '' : `, ${excluded.length} left out by exclude`
  return [
    `${platform}: ${packages.length} packages, ${formatBytes(sizeAfter)}${growth}${left}`,
    ...changes.map(describeChange),
    ...sources.map(describeSource),
    ...runs.map(
      ({ package: name, version, script, sha256 }) =>
        `  ! the ${script} of ${name} ${version} (${sha256.slice(0, 12)}) runs while building`,
    ),
  ]
}

function describeSource({ path: file, before, after }: SourceChange): string {
  const facts = ({ layer, size }: LockedSource): string => `(${layer}, ${formatBytes(size)})`
  if (!after) return `  - ${file} ${facts(before!)}`
  return `  ${before ? '~' : '+'} ${file} ${facts(after)}`
}

function describeChange({ name, before, after }: LockChange): string {
  if (!before && after) return `  + ${name} ${after.version} (${after.layer}, ${formatBytes(after.size)})`
  if (before && !after) return `  - ${name} ${before.version} (${formatBytes(before.size)})`
  const from = before!
  const to = after!
  const version = from.version === to.version ? to.version : `${from.version} → ${to.version}`
  const layer = from.layer === to.layer ? '' : `, layer ${from.layer} → ${to.layer}`
  return `  ~ ${name} ${version} (${to.suite}, ${formatBytes(to.size)}${layer})`
}

function describeOutcome(changed: boolean, dryRun: boolean): string {
  if (!changed) return `${lockName} is up to date.`
  return dryRun
    ? `Nothing was written; without --dry-run, ${lockName} would be.`
    : `${lockName} is written. Next: ${commandName()} build`
}
