import { readFile } from 'node:fs/promises'
import { readControl } from '../debian/deb.ts'
import type { RecipeBook, RecipeFiles } from '../debian/recipe.ts'
import { parseRecipes } from '../debian/recipe-load.ts'
import { scriptsToRun } from '../debian/script-match.ts'
import type { Definition } from '../definition/definition.ts'
import { sha256Hex } from '../lib/digest.ts'
import { SlipwayError } from '../lib/errors.ts'
import type { LockedPackage, LockedPlatform, Lockfile, RanScript } from './lockfile.ts'

/** Brings .deb files to this machine: hex SHA-256 → file. */
export type FetchDebs = (packages: readonly LockedPackage[]) => Promise<ReadonlyMap<string, string>>

/**
 * Writes into a lock which maintainer scripts will run while building: those whose recipe says `run`. Only the packages
 * of such recipes are fetched and looked into. A lock that says so already is returned as it was. Throws what
 * `scriptsToRun` and `fetch` throw.
 */
export async function recordRuns(
  lock: Lockfile,
  { accept }: Pick<Definition, 'accept'>,
  recipes: RecipeFiles,
  fetch: FetchDebs,
): Promise<Lockfile> {
  // However YAML writes the key: at the beginning of an item, between braces, in quotes.
  const files = [...recipes.files].filter(([, { text }]) => /\brun["']?\s*:/.test(text))
  const book = parseRecipes({ ...recipes, files: new Map(files) })
  const platforms = Object.entries(lock.platforms).map(async ([name, platform]) => [
    name,
    await recordPlatform(platform, accept, book, fetch),
  ])
  const recorded: Lockfile = { ...lock, platforms: Object.fromEntries(await Promise.all(platforms)) }
  return JSON.stringify(recorded) === JSON.stringify(lock) ? lock : recorded
}

async function recordPlatform(
  { runs: _, ...platform }: LockedPlatform,
  accept: Definition['accept'],
  book: RecipeBook,
  fetch: FetchDebs,
): Promise<LockedPlatform> {
  const candidates = platform.packages.filter(({ name }) =>
    book.recipes.get(name)?.scripts.some((script) => script.run),
  )
  if (candidates.length === 0) return platform
  const files = await fetch(candidates)
  const runs: RanScript[] = []
  for (const locked of candidates.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const bytes = await readFile(files.get(locked.sha256)!)
    if (sha256Hex(bytes) !== locked.sha256) throw damagedFile(files.get(locked.sha256)!)
    for (const { script, sha256 } of scriptsToRun(locked, await readControl(bytes), book, accept)) {
      runs.push({ package: locked.name, version: locked.version, script, sha256 })
    }
  }
  return runs.length === 0 ? platform : { ...platform, runs }
}

function damagedFile(file: string): SlipwayError {
  return new SlipwayError(
    'wrong-deb',
    `${file} has other bytes than the archive signed; delete it, then run the same command again.`,
  )
}
