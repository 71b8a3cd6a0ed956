import type { Alternatives, Dependency } from './dependency.ts'
import { meets } from './matching.ts'
import type { BinaryPackage } from './package.ts'
import type { PackageIndex } from './package-index.ts'

/** Which packages may be chosen at all, and which of several is tried first. */
export interface Candidates {
  /** Versions of a name that may be taken: the preferred one, then the newest that its pin allows. */
  versions(name: string): readonly BinaryPackage[]
  /** Packages that meet a dependency, best first: its own name, then providers as apt orders them. */
  meeting(dependency: Dependency): readonly BinaryPackage[]
  /** What meets any of the alternatives: the preferred first, then in the order of the clause. */
  meetingAny(alternatives: Alternatives): readonly BinaryPackage[]
}

export interface Restrictions {
  /** Name → version, or pattern with `*`. */
  readonly pins: Readonly<Record<string, string>>
  /** Names never to be chosen. */
  readonly exclude: Readonly<Record<string, string>>
  /** Name → version to try first. */
  readonly preferred: ReadonlyMap<string, string>
}

export function createCandidates(
  index: PackageIndex,
  { pins, exclude, preferred }: Restrictions,
): Candidates {
  const allowed = new Map<string, readonly BinaryPackage[]>()

  const versions = (name: string): readonly BinaryPackage[] => {
    let found = allowed.get(name)
    if (found === undefined) {
      const pin = Object.hasOwn(pins, name) ? pins[name] : undefined
      const named = Object.hasOwn(exclude, name) ? [] : index.named(name)
      const open = named.filter(({ version }) => pin === undefined || matchesPin(version, pin))
      const kept = open.find(({ version }) => version === preferred.get(name))
      found = [...new Set([kept, open[0]])].filter((candidate) => candidate !== undefined)
      allowed.set(name, found)
    }
    return found
  }

  const meeting = (dependency: Dependency): readonly BinaryPackage[] => {
    const own = versions(dependency.name).filter((one) => meets(one, dependency, index.architecture))
    const providers = index
      .providing(dependency.name)
      .map((provider) => provider.package)
      .filter(
        (provider) =>
          provider.name !== dependency.name &&
          versions(provider.name).includes(provider) &&
          meets(provider, dependency, index.architecture),
      )
    return [...own, ...[...new Set(providers)].sort(compareProviders(versions))]
  }

  // A provider, or an earlier alternative, that is new in the archive does not take the place of what is kept.
  const meetingAny = (alternatives: Alternatives): readonly BinaryPackage[] => {
    const found = [...new Set(alternatives.flatMap(meeting))]
    const isKept = ({ name, version }: BinaryPackage): boolean => preferred.get(name) === version
    return [...found.filter(isKept), ...found.filter((one) => !isKept(one))]
  }

  return { versions, meeting, meetingAny }
}

/** Whether a version is the pinned one, or fits the pattern: `*` stands for any characters. */
export function matchesPin(version: string, pin: string): boolean {
  const parts = pin.split('*').map((part) => part.replace(/[.+?^$()[\]{}|\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(version)
}

const priorities = ['required', 'important', 'standard', 'optional', 'extra']

/** As apt orders providers: Essential first, then by Priority; what is left undecided, the later name. */
function compareProviders(versions: (name: string) => readonly BinaryPackage[]) {
  const rank = ({ priority }: BinaryPackage): number => {
    const place = priorities.indexOf(priority)
    return place < 0 ? priorities.length : place
  }
  return (a: BinaryPackage, b: BinaryPackage): number => {
    if (a.name === b.name) return versions(a.name).indexOf(a) - versions(a.name).indexOf(b)
    return Number(b.essential) - Number(a.essential) || rank(a) - rank(b) || (a.name > b.name ? -1 : 1)
  }
}
