import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until there is an answer; throws after `patience` milliseconds, saying what was waited for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  patience = 30_000,
): Promise<T> {
  const deadline = Date.now() + patience
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error(`waited ${patience / 1000} s in vain: ${what}`)
    await sleep(100)
  }
}
