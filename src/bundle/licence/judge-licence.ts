import { type Licence, parseDay } from './licence.ts'

export type Judgement =
  | { readonly state: 'valid' /** The last moment; absent: for ever. */; readonly until?: Date }
  | { readonly state: 'expired'; readonly until: Date }

const day = 86_400_000

/**
 * Whether a licence holds at `now`. A trial's days are counted from `since`, when this licence was first put on the
 * host; a day that is named holds to its end in UTC. Pure.
 */
export function judgeLicence({ expires, trialDays }: Licence, since: Date, now: Date): Judgement {
  const ends: number[] = []
  if (expires !== undefined) ends.push(parseDay(expires)!.valueOf() + day - 1)
  if (trialDays !== undefined) ends.push(since.valueOf() + trialDays * day)
  if (ends.length === 0) return { state: 'valid' }
  const until = new Date(Math.min(...ends))
  return { state: now > until ? 'expired' : 'valid', until }
}

/** The features that are asked for and not granted. */
export function missingFeatures({ features }: Licence, wanted: readonly string[]): string[] {
  return [...new Set(wanted)].filter((one) => !features.includes(one)).sort()
}
