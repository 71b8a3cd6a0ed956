import type { PackageIndex } from './package-index.ts'
import type { Candidates } from './resolver-candidates.ts'

/** What the search is to solve. */
export interface Problem {
  readonly index: PackageIndex
  readonly candidates: Candidates
  /** Name → who asks for it, in the order in which they are chosen. */
  readonly wanted: ReadonlyMap<string, ReadonlySet<string>>
  readonly pins: Readonly<Record<string, string>>
  /** Excluded name → the version that counts for clauses that name it. */
  readonly excluded: ReadonlyMap<string, string>
  readonly recommends: boolean
}
