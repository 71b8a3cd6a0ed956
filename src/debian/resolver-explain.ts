import { badInput, type SlipwayError } from '../lib/errors.ts'
import { type Alternatives, formatAlternatives, formatDependency } from './dependency.ts'
import { meets } from './matching.ts'
import type { BinaryPackage } from './package.ts'
import type { Problem } from './resolver-problem.ts'
import { list, suggest } from './resolver-request.ts'
import type { Cause, Clash, Selection } from './resolver-selection.ts'

/** Collects what goes wrong in a search, and tells the failure that the fewest choices led to. */
export interface Explanation {
  nothingMeets(cause: Cause): void
  otherVersion(cause: Cause, option: BinaryPackage, other: BinaryPackage): void
  clash(cause: Cause, option: BinaryPackage, clash: Clash): void
  error(): SlipwayError
}

/** Sentences are made where the failure is seen, while the selection still holds the chains that led to it. */
export function createExplanation(problem: Problem, selection: Selection): Explanation {
  const { index, candidates, wanted, pins, excluded } = problem
  let best: { choices: number; code: string; sentence: string } | undefined

  /** From who asks down to a name: `optimiser → squid → libc6`; with the number of choices on the way. */
  const chain = (name: string): { text: string; choices: number } => {
    const steps: string[] = []
    let choices = 0
    let at: string | undefined = name
    while (at !== undefined) {
      steps.unshift(at)
      const cause: Cause | undefined = selection.causeOf(at)
      if (cause && cause.choices > 1) choices++
      const requesters = wanted.get(at)
      at = requesters ? undefined : cause?.owner
      if (requesters) steps.unshift([...requesters].sort().join(', '))
    }
    return { text: steps.join(' → '), choices }
  }

  const requirement = ({ owner, clause }: Cause): { text: string; choices: number } => {
    if (owner !== undefined) {
      const { text, choices } = chain(owner)
      return { text: `${text} needs ${formatAlternatives(clause)}`, choices }
    }
    const name = clause[0]!.name
    return { text: `${[...wanted.get(name)!].sort().join(', ')} asks for ${name}`, choices: 0 }
  }

  const note = (choices: number, code: string, sentence: () => string): void => {
    if (best === undefined || choices < best.choices) best = { choices, code, sentence: sentence() }
  }

  const pinned = (name: string): string | undefined => (Object.hasOwn(pins, name) ? pins[name] : undefined)

  const hint = (names: readonly string[]): string => {
    const pin = names.find((name) => pinned(name) !== undefined)
    return pin === undefined ? '' : ` (${pin} is pinned to ${pinned(pin)})`
  }

  /** Why the archive has nothing for a clause: told of its first alternative. */
  const whyNothing = (clause: Alternatives): string => {
    const { name } = clause[0]!
    const versions = index.named(name).map(({ version }) => version)
    const pin = pinned(name)
    if (pin !== undefined) return `but ${name} is pinned to ${pin}`
    const fitting = index.named(name).find((one) => meets(one, clause[0]!, index.architecture))
    const candidate = candidates.versions(name)[0]
    if (fitting && candidate) {
      return `but the newest ${name} is ${candidate.version}: to take ${fitting.version}, pin it in appliance.yaml`
    }
    if (versions.length > 0 && !excluded.has(name)) return `but the archive has ${name} ${list(versions)}`
    const providers = [...new Set(index.providing(name).map((provider) => provider.package.name))].sort()
    const left = providers.filter((provider) => excluded.has(provider))
    if (left.length > 0) return `which only excluded packages provide (${list(left)}): exclude ${name} too`
    if (providers.length > 0) return `but what provides it is of another version (${list(providers)})`
    if (excluded.get(name) === '')
      return `but ${name} is excluded, and the archive has no version of it that could count`
    if (excluded.has(name)) return `but ${name} is excluded at version ${excluded.get(name)}`
    return `which the archive does not have${suggest(index, name)}`
  }

  return {
    nothingMeets(cause) {
      const { text, choices } = requirement(cause)
      const code = cause.clause.some(({ name }) => pinned(name) !== undefined)
        ? 'impossible-pin'
        : 'impossible-set'
      note(choices, code, () => `${text}, ${whyNothing(cause.clause)}`)
    },
    otherVersion(cause, option, other) {
      const needing = requirement(cause)
      const taken = chain(other.name)
      const pin = hint([option.name])
      note(
        needing.choices + taken.choices,
        pin === '' ? 'impossible-set' : 'impossible-pin',
        () => `${needing.text}, but ${taken.text} is taken at version ${other.version}${pin}`,
      )
    },
    clash(cause, option, { owner, kind, clause, target }) {
      const needing = requirement(cause)
      const other = owner.name === option.name ? target : owner
      const taken = chain(other.name)
      const pin = hint([option.name, other.name])
      const provides = target.name === clause.name ? '' : `, which ${target.name} provides`
      note(
        needing.choices + taken.choices,
        pin === '' ? 'impossible-set' : 'impossible-pin',
        () =>
          `${needing.text}, but ${owner.name} ${owner.version} ${kind} ${formatDependency(clause)}${provides}` +
          `${other.name === cause.owner ? '' : `, and there is ${taken.text}`}${pin}`,
      )
    },
    error() {
      const why = best?.sentence ?? 'the search found no way through in time'
      return badInput(
        best?.code ?? 'impossible-set',
        `No set of packages fits on ${index.architecture}: ${why}.`,
      )
    },
  }
}
