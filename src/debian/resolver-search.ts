import type { Alternatives, Dependency } from './dependency.ts'
import type { BinaryPackage } from './package.ts'
import { createExplanation, type Explanation } from './resolver-explain.ts'
import type { Problem } from './resolver-problem.ts'
import { type Cause, Selection } from './resolver-selection.ts'
import { satisfies } from './version.ts'

/** What is left to do, as a list: a clause to meet, or a chosen package whose clauses come next. */
type Agenda = { readonly task: Task; readonly next: Agenda } | undefined
type Task =
  | { readonly clause: Alternatives; readonly owner?: string; readonly optional?: true }
  | { readonly expand: string }

type Wish = Exclude<Task, { expand: string }>

/** A clause that was open when the search came to it, and how far its options have been tried. */
interface Decision {
  readonly wish: Wish
  readonly next: Agenda
  readonly cause: Cause
  readonly options: readonly BinaryPackage[]
  tried: number
  /** What is taken at present. */
  taken?: BinaryPackage
  /** Names whose choice had a part in the failure of what was tried. */
  readonly guilty: Set<string>
}

/** More tries than any real set of packages needs: what takes longer is given up, not waited for. */
const mostTries = 200_000

/**
 * Depth-first search with conflict-directed backjumping: a choice is reconsidered only where it had a part in the
 * failure. Throws what `createExplanation` makes of the failures where there is no solution.
 */
export function search(problem: Problem): Selection {
  const selection = new Selection(problem.index.architecture)
  const explanation = createExplanation(problem, selection)
  const decisions: Decision[] = []
  let tries = 0
  let agenda: Agenda = openingAgenda([...problem.wanted.keys()])

  for (;;) {
    const open = nextOpen(problem, selection, agenda)
    if (open === undefined) return selection
    decisions.push(decide(problem, explanation, open))
    agenda = settle()
  }

  /** Takes the next option of the latest decision, or goes back to one that can still be otherwise. */
  function settle(): Agenda {
    let failure: ReadonlySet<string> | undefined
    for (let decision = decisions.at(-1); decision !== undefined; decision = decisions.at(-1)) {
      if (failure !== undefined) {
        const taken = decision.taken!
        selection.remove(taken)
        if (!failure.has(taken.name)) {
          decisions.pop()
          continue
        }
        for (const name of failure) if (name !== taken.name) decision.guilty.add(name)
      }
      const option = nextOption(decision)
      if (option) {
        selection.add(option, decision.cause)
        decision.taken = option
        const { wish, next } = decision
        // What was asked for is all chosen before any of it is followed.
        return wish.owner === undefined ? next : { task: { expand: option.name }, next }
      }
      decisions.pop()
      if (decision.wish.optional) return decision.next
      failure = decision.guilty
    }
    throw explanation.error()
  }

  function nextOption(decision: Decision): BinaryPackage | undefined {
    const { cause, guilty, options } = decision
    while (decision.tried < options.length) {
      if (++tries > mostTries) throw explanation.error()
      const option = options[decision.tried++]!
      const other = selection.packages.get(option.name)
      const clash = other ? undefined : selection.clash(option)
      if (other) {
        explanation.otherVersion(cause, option, other)
        guilty.add(other.name)
      } else if (clash) {
        explanation.clash(cause, option, clash)
        guilty.add(clash.owner.name === option.name ? clash.target.name : clash.owner.name)
      } else return option
    }
    return undefined
  }
}

function openingAgenda(names: readonly string[]): Agenda {
  const wanted: Task[] = names.map((name) => ({ clause: [{ name }] }))
  const expansions: Task[] = names.map((name) => ({ expand: name }))
  return prepend([...wanted, ...expansions], undefined)
}

/** The next clause that neither a chosen package nor an exclusion meets; undefined: all is done. */
function nextOpen(
  { excluded, recommends }: Problem,
  selection: Selection,
  start: Agenda,
): { wish: Wish; next: Agenda } | undefined {
  let agenda = start
  while (agenda !== undefined) {
    const { task, next }: NonNullable<Agenda> = agenda
    if ('expand' in task) {
      agenda = prepend(clauseTasks(selection.packages.get(task.expand)!, recommends), next)
    } else if (selection.meeting(task.clause) || task.clause.some((one) => isExcluded(one, excluded))) {
      agenda = next
    } else return { wish: task, next }
  }
  return undefined
}

function decide(
  { candidates }: Problem,
  explanation: Explanation,
  { wish, next }: { wish: Wish; next: Agenda },
): Decision {
  const { clause, owner } = wish
  const options = candidates.meetingAny(clause)
  const cause: Cause = { clause, choices: options.length, ...(owner === undefined ? {} : { owner }) }
  if (options.length === 0 && !wish.optional) explanation.nothingMeets(cause)
  return { wish, next, cause, options, tried: 0, guilty: new Set(owner === undefined ? [] : [owner]) }
}

function clauseTasks(one: BinaryPackage, recommends: boolean): Task[] {
  const owner = one.name
  return [
    ...[...one.preDepends, ...one.depends].map((clause) => ({ clause, owner })),
    ...(recommends ? one.recommends : []).map((clause) => ({ clause, owner, optional: true as const })),
  ]
}

function prepend(tasks: readonly Task[], rest: Agenda): Agenda {
  return tasks.reduceRight<Agenda>((next, task) => ({ task, next }), rest)
}

function isExcluded({ name, relation, version }: Dependency, excluded: ReadonlyMap<string, string>): boolean {
  const counted = excluded.get(name)
  return counted !== undefined && (relation === undefined || satisfies(counted, relation, version!))
}
