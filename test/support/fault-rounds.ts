import { expect } from 'vitest'
import { mapParallel } from '../../src/lib/parallel.ts'
import type { Data, FaultBench, Outcome } from './fault-bench.ts'
import {
  arrange,
  expectDone,
  expectedPicture,
  type FaultVerb,
  settle,
  startWhatEnded,
} from './fault-verbs.ts'

/** A verb at work on its own appliance. */
export interface Run {
  readonly name: string
  readonly verb: FaultVerb
  readonly bench: FaultBench
}

/** A verb that something happened to. */
export interface Struck extends Run {
  readonly turn: number
  readonly before: Data | undefined
  readonly outcome: Outcome
}

/** So many commands at once, where each does a lot. */
const limit = 3

/**
 * Runs all verbs at once up to a moment of each, does harm to the Engine that they share, lets them go on, and returns
 * what they came to.
 */
export async function strike(
  runs: readonly Run[],
  turn: number,
  momentOf: (verb: FaultVerb) => RegExp,
  harm: () => Promise<void>,
): Promise<Struck[]> {
  const before = await mapParallel(runs, { limit }, ({ bench, verb }) => arrange(bench, verb, turn))
  let letGo = (): void => {}
  const released = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const held = await Promise.all(
    runs.map(({ bench, verb }) => bench.holdAt(verb.command(bench, turn), momentOf(verb), released)),
  )
  await harm()
  letGo()
  return Promise.all(
    runs.map(async (run, index) => {
      const outcome = await held[index]!.ended
      return { ...run, turn, before: before[index], outcome }
    }),
  )
}

/** Each command that failed typed again; verb → in words what it had come to, and what it took then. */
export async function settleAll(struck: readonly Struck[]): Promise<Map<string, string>> {
  const words = await mapParallel(struck, { limit }, async ({ name, verb, bench, turn, before, outcome }) => {
    if (outcome.exitCode !== 0) {
      return [name, `again: ${await settle(bench, verb, turn, before)}`] as const
    }
    const brought = await startWhatEnded(bench, verb.end(turn))
    await expectDone(bench, verb, turn, before)
    return [name, `done${brought}`] as const
  })
  return new Map(words)
}

/** What failed failed with one sentence, and with exit code 1 or 5 only where the former state serves. */
export async function expectHonest(struck: readonly Struck[]): Promise<void> {
  for (const { name, verb, bench, turn, before, outcome } of struck) {
    const { exitCode, stderr } = outcome
    const last = stderr.trim().split('\n').at(-1)
    if (exitCode === 0) continue
    expect({ name, exitCode, last }).toEqual({
      name,
      exitCode: expect.toSatisfy((code: number) => [1, 4, 5].includes(code)),
      last: expect.stringMatching(/^slipway: The Docker .*\.$/),
    })
    if (exitCode === 4) continue
    const start = verb.start(turn)
    expect({ name, picture: await bench.picture() }).toEqual({ name, picture: expectedPicture(bench, start) })
    if (before) expect(await bench.readData()).toEqual(before)
  }
}
