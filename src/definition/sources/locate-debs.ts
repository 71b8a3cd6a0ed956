import { findSource, type SourcePlace } from './read-sources.ts'
import { localSuite } from './source.ts'

interface LockedDeb {
  readonly suite: string
  readonly path: string
  readonly sha256: string
}

/** Finds the product's own .debs where they are, and lets `fetch` bring the others: hex SHA-256 → file. */
export async function locateDebs<Deb extends LockedDeb>(
  place: SourcePlace,
  debs: readonly Deb[],
  fetch: (archived: readonly Deb[]) => Promise<ReadonlyMap<string, string>>,
): Promise<Map<string, string>> {
  const local = debs.filter(({ suite }) => suite === localSuite)
  const files = new Map(await fetch(debs.filter((deb) => !local.includes(deb))))
  for (const { path, sha256 } of local) files.set(sha256, await findSource(place, undefined, path))
  return files
}
