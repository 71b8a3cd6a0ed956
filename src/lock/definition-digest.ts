import type { Definition } from '../definition/definition.ts'
import { type Digest, digestOf } from '../lib/digest.ts'

/**
 * Digest of the parts of a definition that decide which packages are chosen and which layer holds them; where they are
 * fetched from, and the order in which names are listed, do not count.
 */
export function definitionDigest(definition: Definition): Digest {
  const { debian, platforms, layers, pins, exclude, components } = definition
  return digestOf(
    JSON.stringify({
      suite: debian.suite,
      archiveComponents: [...debian.archiveComponents].sort(),
      updates: debian.updates,
      security: debian.security,
      platforms: [...platforms].sort(),
      layers,
      pins: sortedEntries(pins),
      exclude: sortedEntries(exclude),
      components: components
        .map(({ name, layer, packages, essential, sources }) => [
          name,
          layer,
          essential,
          [...new Set(packages)].sort(),
          // What is in them is compared by its own hash.
          ...(sources.length > 0 ? [sources.map(({ kind, path }) => [kind, path])] : []),
        ])
        .sort(([a], [b]) => (a! < b! ? -1 : 1)),
    }),
  )
}

function sortedEntries(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}
