import type { Alternatives, Dependency } from './dependency.ts'
import { hits, meets } from './matching.ts'
import type { BinaryPackage } from './package.ts'

/** Why a package was taken: the clause of `owner` that it meets; without an owner it was asked for by name. */
export interface Cause {
  readonly owner?: string
  readonly clause: Alternatives
  /** How many packages could have met the clause. */
  readonly choices: number
}

/** A Conflicts or Breaks between two packages. */
export interface Clash {
  readonly owner: BinaryPackage
  readonly kind: 'conflicts with' | 'breaks'
  readonly clause: Dependency
  readonly target: BinaryPackage
}

/** The packages taken so far; the search adds and takes back, last in first out. */
export class Selection {
  readonly #architecture: string
  readonly #packages = new Map<string, BinaryPackage>()
  readonly #causes = new Map<string, Cause>()
  /** Name (own or provided) → packages that bear it. */
  readonly #bearers = new Map<string, BinaryPackage[]>()
  /** Name in a Conflicts or Breaks → packages that will not stand beside it. */
  readonly #opponents = new Map<string, BinaryPackage[]>()

  constructor(architecture: string) {
    this.#architecture = architecture
  }

  get packages(): ReadonlyMap<string, BinaryPackage> {
    return this.#packages
  }

  causeOf(name: string): Cause | undefined {
    return this.#causes.get(name)
  }

  add(added: BinaryPackage, cause: Cause): void {
    this.#packages.set(added.name, added)
    this.#causes.set(added.name, cause)
    for (const name of borneNames(added)) push(this.#bearers, name, added)
    for (const name of opposedNames(added)) push(this.#opponents, name, added)
  }

  remove(removed: BinaryPackage): void {
    this.#packages.delete(removed.name)
    this.#causes.delete(removed.name)
    for (const name of borneNames(removed)) this.#bearers.get(name)!.pop()
    for (const name of opposedNames(removed)) this.#opponents.get(name)!.pop()
  }

  /** The taken package that meets one of the alternatives; the first alternative that has one decides. */
  meeting(alternatives: Alternatives): BinaryPackage | undefined {
    for (const dependency of alternatives) {
      const found = this.#bearers
        .get(dependency.name)
        ?.find((bearer) => meets(bearer, dependency, this.#architecture))
      if (found) return found
    }
    return undefined
  }

  /** The first Conflicts or Breaks, either way, between a package and those taken. */
  clash(newcomer: BinaryPackage): Clash | undefined {
    for (const [kind, clauses] of negatives(newcomer)) {
      for (const clause of clauses.flat()) {
        const target = this.#bearers
          .get(clause.name)
          ?.find((other) => other.name !== newcomer.name && hits(other, clause, this.#architecture))
        if (target) return { owner: newcomer, kind, clause, target }
      }
    }
    for (const name of borneNames(newcomer)) {
      for (const owner of this.#opponents.get(name) ?? []) {
        if (owner.name === newcomer.name) continue
        for (const [kind, clauses] of negatives(owner)) {
          const clause = clauses.flat().find((one) => hits(newcomer, one, this.#architecture))
          if (clause) return { owner, kind, clause, target: newcomer }
        }
      }
    }
    return undefined
  }
}

function borneNames(one: BinaryPackage): Set<string> {
  return new Set([one.name, ...one.provides.map((provided) => provided.name)])
}

function opposedNames(one: BinaryPackage): Set<string> {
  return new Set([...one.conflicts.flat(), ...one.breaks.flat()].map((clause) => clause.name))
}

function negatives(one: BinaryPackage): [Clash['kind'], readonly Alternatives[]][] {
  return [
    ['conflicts with', one.conflicts],
    ['breaks', one.breaks],
  ]
}

function push(map: Map<string, BinaryPackage[]>, name: string, value: BinaryPackage): void {
  const list = map.get(name)
  if (list) list.push(value)
  else map.set(name, [value])
}
