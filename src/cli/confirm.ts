import { createInterface } from 'node:readline/promises'
import { badInput } from '../lib/errors.ts'
import type { Context } from './context.ts'

/** Asks before something is deleted. Throws `not-confirmed` where nobody can answer, or the answer is not yes. */
export async function confirm(context: Context, question: string): Promise<void> {
  if (!context.interactive)
    throw badInput('not-confirmed', `${question} Say --yes to go on, --dry-run to only look.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} Go on? [y/N] `, { signal: context.signal })
    if (!/^y(es)?$/i.test(answer.trim())) throw badInput('not-confirmed', 'Nothing was changed.')
  } finally {
    terminal.close()
  }
}
