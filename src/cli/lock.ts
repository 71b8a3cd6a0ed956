import path from 'node:path'
import { openArchive } from '../debian/archive.ts'
import { fetchDebs } from '../debian/deb-store.ts'
import { findRecipes } from '../debian/recipe-load.ts'
import { loadDefinition } from '../definition/load.ts'
import { locateDebs } from '../definition/sources/locate-debs.ts'
import { readSources } from '../definition/sources/read-sources.ts'
import { cacheFolder } from '../lib/cache.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, SlipwayError } from '../lib/errors.ts'
import { debianArchitecture } from '../lib/platform.ts'
import { describeArchSkew, findArchSkew } from '../lock/arch-skew.ts'
import { diffLocks } from '../lock/diff-lock.ts'
import { findLock, lockName } from '../lock/read-lock.ts'
import { recordRuns } from '../lock/record-runs.ts'
import { resolveLock } from '../lock/resolve-lock.ts'
import { refuseMovedParent } from '../lock/stale.ts'
import { writeLock } from '../lock/write-lock.ts'
import type { Context } from './context.ts'
import { describeLockDiff } from './describe-lock-diff.ts'
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
  const sources = await readSources(definition)
  const archive = await openArchive(definition.debian, {
    architectures: definition.platforms.map(debianArchitecture),
    cache,
    env: context.env,
    report: context.report,
    signal: context.signal,
  })
  const resolved = sayingNext(() =>
    resolveLock(definition, archive, {
      ...(previous ? { previous } : {}),
      update: update === 'all' ? update : update.filter((name) => name !== parent.now?.name),
      parent: parent.now,
      archSkew: options.archSkew ?? false,
      sources,
    }),
  )
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
  for (const diff of platforms) for (const line of describeLockDiff(diff, lock)) context.print(line)
  for (const skew of archSkew) context.print(`Accepted: ${describeArchSkew(skew)}.`)
  context.print(describeOutcome(changed, options.dryRun ?? false))
}

/** Packages that are not there or do not fit are the definition's to correct. */
function sayingNext<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const codes = ['unknown-package', 'virtual-package', 'impossible-pin', 'impossible-set']
    if (!(error instanceof SlipwayError) || !codes.includes(error.code)) throw error
    throw badInput(
      error.code,
      `${error.message} Correct packages, pins, exclude or sources of the definition, then run: ${commandName()} lock`,
      error,
    )
  }
}

function describeOutcome(changed: boolean, dryRun: boolean): string {
  if (!changed) return `${lockName} is up to date.`
  return dryRun
    ? `Nothing was written; without --dry-run, ${lockName} would be.`
    : `${lockName} is written. Next: ${commandName()} build`
}
