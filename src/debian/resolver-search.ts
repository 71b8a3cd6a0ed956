import type { Alternatives, Dependency } from './dependency.ts'
import type { BinaryPackage } from './package.ts'
import type { PackageIndex } from './package-index.ts'
import type { Candidates } from './resolver-candidates.ts'
import { createExplanation } from './resolver-explain.ts'
import { Selection } from './resolver-selection.ts'
import { satisfies } from './version.ts'

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

/** What is left to do, as a list: a clause to meet, or a chosen package whose clauses come next. */
type Agenda = { readonly task: Task; readonly next: Agenda } | undefined
type Task =
  | { readonly clause: Alternatives; readonly owner?: string; readonly optional?: true }
  | { readonly expand: string }

/** Names whose choice made it fail; undefined: it worked. */
type Failure = ReadonlySet<string> | undefined

/** More tries than any real set of packages needs: what takes longer is given up, not waited for. */
const mostTries = 200_000

/**
 * Depth-first search with conflict-directed backjumping: a choice is reconsidered only where it had a part in the
 * failure. Throws what `createExplanation` makes of the failures where there is no solution.
 */
export function search(problem: Problem): Selection {
  const { candidates, excluded } = problem
  const selection = new Selection(problem.index.architecture)
  const explanation = createExplanation(problem, selection)
  let tries = 0

  const solve = (start: Agenda): Failure => {
    let agenda = start
    while (agenda !== undefined) {
      const { task, next }: NonNullable<Agenda> = agenda
      if ('expand' in task) agenda = prepend(clauseTasks(selection.packages.get(task.expand)!), next)
      else if (selection.meeting(task.clause) || isExcluded(task.clause)) agenda = next
      else return decide(task, next)
    }
    return undefined
  }

  const decide = (task: Exclude<Task, { expand: string }>, next: Agenda): Failure => {
    const { clause, owner } = task
    const guilty = new Set<string>(owner === undefined ? [] : [owner])
    const options = [...new Set(clause.flatMap((dependency) => candidates.meeting(dependency)))]
    const cause = { clause, choices: options.length, ...(owner === undefined ? {} : { owner }) }
    if (options.length === 0 && !task.optional) explanation.nothingMeets(cause)
    for (const option of options) {
      if (++tries > mostTries) throw explanation.error()
      const other = selection.packages.get(option.name)
      if (other) {
        explanation.otherVersion(cause, option, other)
        guilty.add(other.name)
        continue
      }
      const clash = selection.clash(option)
      if (clash) {
        explanation.clash(cause, option, clash)
        guilty.add(clash.owner.name === option.name ? clash.target.name : clash.owner.name)
        continue
      }
      selection.add(option, cause)
      // What was asked for is all chosen before any of it is followed.
      const failure = solve(owner === undefined ? next : { task: { expand: option.name }, next })
      if (failure === undefined) return undefined
      selection.remove(option)
      if (!failure.has(option.name)) return failure
      for (const name of failure) if (name !== option.name) guilty.add(name)
    }
    return task.optional ? solve(next) : guilty
  }

  const clauseTasks = (one: BinaryPackage): Task[] => [
    ...[...one.preDepends, ...one.depends].map((clause) => ({ clause, owner: one.name })),
    ...(problem.recommends ? one.recommends : []).map((clause) => ({
      clause,
      owner: one.name,
      optional: true as const,
    })),
  ]

  const isExcluded = (clause: Alternatives): boolean =>
    clause.some((dependency) => isExcludedName(dependency, excluded.get(dependency.name)))

  const names = [...problem.wanted.keys()]
  const wanted: Task[] = names.map((name) => ({ clause: [{ name }] }))
  const expansions: Task[] = names.map((name) => ({ expand: name }))
  if (solve(prepend([...wanted, ...expansions], undefined))) throw explanation.error()
  return selection
}

function prepend(tasks: readonly Task[], rest: Agenda): Agenda {
  return tasks.reduceRight<Agenda>((next, task) => ({ task, next }), rest)
}

function isExcludedName({ relation, version }: Dependency, excluded: string | undefined): boolean {
  return excluded !== undefined && (relation === undefined || satisfies(excluded, relation, version!))
}
