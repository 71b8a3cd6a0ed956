import type { PackageIndex } from '../debian/package-index.ts'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import type { Lockfile } from './lockfile.ts'

/**
 * Refuses a name under `exclude` that drops nothing and is nobody's: mostly one that is misspelt, and what it means to
 * leave out would be in the image. What is merely not asked for may stay there. Throws `unknown-package` (exit code 2).
 *
 * @param indexes of the archive, one for each platform
 */
export function refuseStrayExcludes(
  exclude: Readonly<Record<string, string>>,
  indexes: readonly PackageIndex[],
  platforms: Lockfile['platforms'],
): void {
  const dropped = new Set(
    Object.values(platforms).flatMap(({ excluded = [] }) => excluded.map(({ name }) => name)),
  )
  for (const name of Object.keys(exclude)) {
    const isKnown = indexes.some((index) => index.named(name).length > 0 || index.providing(name).length > 0)
    if (dropped.has(name) || isKnown) continue
    const near = nearest(name, indexes[0]!.names(), 3)
    throw badInput(
      'unknown-package',
      `exclude names ${name}, which no package asks for and the archive does not have${near.length === 0 ? '' : `; near to it: ${near.join(', ')}`}. Correct it, or take it away: what a parent names, with an empty value.`,
    )
  }
}
