import { expect } from 'vitest'
import type { Data, FaultBench } from './fault-bench.ts'
import { arrange, expectDone, expectedPicture, type FaultVerb, settle } from './fault-verbs.ts'

/** Does one thing to a verb on its appliance; returns in words what came of it. `turn` is a fresh one. */
export type FaultCell = (bench: FaultBench, verb: FaultVerb, turn: number) => Promise<string>

/** SIGKILL after each change in turn; returns how many there were, and how often a mutex was taken over. */
export async function killAfterEach(
  bench: FaultBench,
  verb: FaultVerb,
): Promise<{ changes: number; takenOver: number }> {
  let takenOver = 0
  for (let turn = 1; ; turn += verb.stride ?? 1) {
    const before = await arrange(bench, verb, turn)
    const { exitCode, stderr } = await bench.harm(verb.command(bench, turn), turn, () => bench.kill())
    if (exitCode !== null) {
      const changes = bench.relay.changes.length
      expect({ exitCode, stderr, isPast: changes < turn }).toEqual({ exitCode: 0, stderr, isPast: true })
      await expectDone(bench, verb, turn, before)
      return { changes, takenOver }
    }
    const words = await settle(bench, verb, turn, before, (again) => {
      if (/Taking over from .*: its process has ended\./.test(again.stderr)) takenOver++
    })
    expect({ turn, words, stderr }).toEqual({ turn, words: 'done', stderr })
  }
}

/** A second run comes while the first is at work. */
export const anotherRun: FaultCell = async (bench, verb, turn) => {
  const before = await arrange(bench, verb, turn)
  let letGo = (): void => {}
  const released = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const command = verb.command(bench, turn)
  const first = await bench.holdAt(command, verb.moments[0], released)
  const picture = await bench.picture()
  const second = await bench.run(command)
  const after = await bench.picture()
  letGo()
  const { exitCode, stderr } = await first.ended
  expect(second.stderr).toMatch(/Another run is at work on .*: .*, by \S+ on \S+ \(process \d+\), since /)
  expect({ exitCode, second: second.exitCode, after, stderr }).toEqual({
    exitCode: 0,
    second: 6,
    after: picture,
    stderr,
  })
  await expectDone(bench, verb, turn, before)
  return 'exit 6, nothing changed; the first: done'
}

/** Something is gone before the verb begins. */
export function removed(what: 'container' | 'network' | 'volume'): FaultCell {
  return async (bench, verb, turn) => {
    const before = await arrange(bench, verb, turn)
    if (!before || (what === 'volume' && verb.end(turn) === 'volumes')) return '–'
    await bench.takeAway(what)
    return settle(bench, verb, turn, without(before, what))
  }
}

/** A container is gone while the verb is at work. */
export const removedMeanwhile: FaultCell = async (bench, verb, turn) => {
  const before = await arrange(bench, verb, turn)
  let letGo = (): void => {}
  const released = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const { ended } = await bench.holdAt(verb.command(bench, turn), verb.moments[0], released)
  await bench.takeAway('container')
  letGo()
  const { exitCode, stderr } = await ended
  expect({ stderr, isKnown: [0, 1, 4, 5].includes(exitCode ?? -1) }).toEqual({ stderr, isKnown: true })
  const words = await settle(bench, verb, turn, before && without(before, 'container'))
  return `again: ${words}`
}

/** The service does not become healthy. */
export const neverHealthy: FaultCell = async (bench, verb, turn) => {
  const before = await arrange(bench, verb, turn)
  const command = await makeSick(bench, verb, turn)
  bench.relay.watch()
  const { exitCode, stderr } = await bench.run(command)
  if (exitCode === 0) {
    if (verb.sick === 'itself' && verb.end(turn) === '1.0.0') await bench.sicken('itself', false)
    await expectDone(bench, verb, turn, before)
    return 'done'
  }
  const start = verb.start(turn)
  expect({ exitCode, stderr }).toEqual({ exitCode: start === 'nothing' ? 1 : 5, stderr })
  expect(stderr).toMatch(/The service keeper did not come up: /)
  expect(await bench.picture()).toEqual(expectedPicture(bench, start))
  if (verb.sick === 'volume') await bench.sicken('volume', false)
  if (before) expect(await bench.readData()).toEqual(before)
  const again = await settle(bench, verb, turn, before)
  return start === 'nothing'
    ? `exit 1, nothing is left; when healthy: ${again}`
    : `exit 5, the former serves; when healthy: ${again}`
}

async function makeSick(bench: FaultBench, verb: FaultVerb, turn: number): Promise<string[]> {
  if (verb.sick === 'release') return bench.install('sick')
  if (verb.sick === 'backup') return bench.restore(await bench.backUpSick())
  await bench.sicken(verb.sick, true)
  return verb.command(bench, turn)
}

/** What is left for a verb to keep. */
function without(before: Data, what: 'container' | 'network' | 'volume'): Data {
  return { ...before, mark: '', ...(what === 'volume' && { data: '' }) }
}
