import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from './http-failure.ts'

export interface Patience {
  readonly signal?: AbortSignal
  /** How often one thing is asked for before giving up; 4 unless told. */
  readonly attempts?: number
  /** Milliseconds before the second attempt, doubled for each further one; 500 unless told. */
  readonly backoff?: number
  /** How far it came: where an attempt brought it further than any before, they are counted anew. */
  readonly progress?: () => number
}

/** Longer than this no answer is waited for, whatever Retry-After says. */
const longestWait = 30_000

/**
 * Tries again what fails with a `Failure` that may pass, after the wait that the server asked for, else after one that
 * doubles. Throws what `giveUp` makes of the last one, or the signal's reason.
 */
export async function withRetries<T>(
  patience: Patience,
  attempt: () => Promise<T>,
  giveUp: (failure: Failure, tried: number) => unknown,
): Promise<T> {
  const { attempts = 4, progress = () => 0 } = patience
  let furthest = progress()
  for (let tried = 1; ; tried++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (progress() > furthest) tried = 1
      furthest = Math.max(furthest, progress())
      const wait = error.after ?? (patience.backoff ?? 500) * 2 ** (tried - 1)
      if (!error.retry || tried >= attempts || wait > longestWait) throw giveUp(error, tried)
      await sleep(wait, undefined, patience.signal ? { signal: patience.signal } : {}).catch(() => {
        throw patience.signal?.reason
      })
    }
  }
}
