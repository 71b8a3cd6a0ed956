import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import type { PackageIndex } from './package-index.ts'
import { matchesPin } from './resolver-candidates.ts'

/** Refuses names that the archive does not have, that are only provided, or that are excluded at the same time. */
export function checkWanted(
  index: PackageIndex,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
  exclude: Readonly<Record<string, string>>,
): void {
  for (const [name, requesters] of wanted) {
    const by = [...requesters].sort().join(', ')
    if (Object.hasOwn(exclude, name)) {
      throw badInput(
        'wanted-and-excluded',
        `The package ${name} is asked for by ${by} and excluded at the same time: take it out of one of the two.`,
      )
    }
    if (index.named(name).length > 0) continue
    const providers = [...new Set(index.providing(name).map((provider) => provider.package.name))].sort()
    if (providers.length > 0) {
      throw badInput(
        'virtual-package',
        `${name}, asked for by ${by}, is a virtual package: name one of those that provide it (${list(providers)}).`,
      )
    }
    throw badInput(
      'unknown-package',
      `The package ${name}, asked for by ${by}, is not in the archive for ${index.architecture}${suggest(index, name)}.`,
    )
  }
}

/** Refuses pins that no version in the archive fits. */
export function checkPins(index: PackageIndex, pins: Readonly<Record<string, string>>): void {
  for (const [name, pin] of Object.entries(pins)) {
    const versions = index.named(name).map(({ version }) => version)
    if (versions.length === 0) {
      throw badInput(
        'unknown-package',
        `The pinned package ${name} is not in the archive for ${index.architecture}${suggest(index, name)}.`,
      )
    }
    if (versions.some((version) => matchesPin(version, pin))) continue
    throw badInput(
      'impossible-pin',
      `No version of ${name} for ${index.architecture} fits the pin ${pin}: the archive has ${list(versions)}.`,
    )
  }
}

/** The nearest names, for the end of a sentence; empty where nothing is near. */
export function suggest(index: PackageIndex, name: string): string {
  const near = nearest(name, index.names(), 3)
  return near.length === 0 ? '' : `; near to it: ${near.join(', ')}`
}

/** At most five, and how many more. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown
}
