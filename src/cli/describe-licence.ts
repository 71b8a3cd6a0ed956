import type { Judgement } from '../bundle/licence/judge-licence.ts'
import type { Licence } from '../bundle/licence/licence.ts'

/** A licence in lines of two columns. */
export function describeLicence(licence: Licence, judged?: Judgement): string[] {
  const { id, product, customer, features, issued, expires, trialDays } = licence
  const ends = [
    ...(expires === undefined ? [] : [`to ${expires}`]),
    ...(trialDays === undefined ? [] : [`${trialDays} days from the first install`]),
  ]
  const rows = [
    ['customer', customer],
    ['product', product],
    ['grants', features.join(', ') || 'nothing'],
    ['issued', `${issued}, number ${id}`],
    ['holds', ends.join(', at most ') || 'for ever'],
    ...(judged ? [['now', describeJudgement(judged)]] : []),
  ] as const
  return rows.map(([name, text]) => `${name.padEnd(8)}  ${text}`)
}

function describeJudgement({ state, until }: Judgement): string {
  const day = until?.toISOString().slice(0, 10)
  if (state === 'expired') return `ended on ${day}; what runs goes on, and takes no other release`
  return day === undefined ? 'valid' : `valid, to ${day}`
}
