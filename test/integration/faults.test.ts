import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FaultBench } from '../support/fault-bench.ts'
import {
  anotherRun,
  type FaultCell,
  killAfterEach,
  neverHealthy,
  removed,
  removedMeanwhile,
} from '../support/fault-cells.ts'
import { documentedMatrix, FaultMatrix } from '../support/fault-matrix.ts'
import { expectHonest, type Run, settleAll, strike } from '../support/fault-rounds.ts'
import { type FaultVerb, faultVerbs } from '../support/fault-verbs.ts'
import { lanes } from '../support/lanes.ts'
import { PrivateEngine } from '../support/private-engine.ts'

const faults = [
  'killed after any change',
  'stale mutex',
  'another run at work',
  'never healthy',
  'container removed before',
  'network removed before',
  'volume removed before',
  'container removed in the middle',
  'dockerd killed in the middle',
  'dockerd killed, back at once',
  'disk full from the start',
  'disk full in the middle',
]
const matrix = new FaultMatrix()
const each: [string, FaultVerb][] = Object.entries(faultVerbs)
const cells: Readonly<Record<string, FaultCell>> = {
  'another run at work': anotherRun,
  'never healthy': neverHealthy,
  'container removed before': removed('container'),
  'network removed before': removed('network'),
  'volume removed before': removed('volume'),
  'container removed in the middle': removedMeanwhile,
}

/** With a disk in memory, and no stranger on it: a verb takes half the time. */
let own: PrivateEngine

beforeAll(async () => {
  own = await PrivateEngine.start(256 * 2 ** 20)
})
afterAll(() => own.stop())

describe.concurrent('on an Engine that is well', () => {
  const inLane = lanes(3)
  let benches = 0

  const onBench = (work: (bench: FaultBench) => Promise<void>): Promise<void> =>
    inLane(async () => {
      const bench = await FaultBench.open(own.engine, `slipway-faults-${++benches}`)
      await work(bench).finally(() => bench.close())
    })

  it.each(each)(
    '%s finishes when it is typed again, killed after any of its changes',
    (name, verb) =>
      onBench(async (bench) => {
        const { takenOver } = await killAfterEach(bench, verb)
        expect(takenOver).toBeGreaterThan(2)
        matrix.note('killed after any change', name, 'again: done')
        matrix.note('stale mutex', name, 'taken over; done')
      }),
    900_000,
  )

  it.each(each)(
    '%s finishes, or the former state serves, whatever is in its way',
    (name, verb) =>
      onBench(async (bench) => {
        let turn = 0
        for (const [fault, cell] of Object.entries(cells))
          matrix.note(fault, name, await cell(bench, verb, ++turn))
      }),
    900_000,
  )
})

describe('on an Engine that is harmed itself', () => {
  let runs: Run[] = []
  let turn = 0

  beforeAll(async () => {
    runs = await Promise.all(
      each.map(async ([name, verb], index) => {
        return { name, verb, bench: await FaultBench.open(own.engine, `slipway-harmed-${index}`) }
      }),
    )
  })
  afterAll(async () => {
    await Promise.all(runs.map(({ bench }) => bench.close()))
  })

  const note = (fault: string, words: Map<string, string>): void => {
    for (const [name, text] of words) matrix.note(fault, name, text)
  }

  it('every verb finishes when it is typed again, dockerd killed in the middle', async () => {
    const struck = await strike(
      runs,
      ++turn,
      ({ moments }) => moments[0],
      () => own.kill(),
    )
    await own.startAgain()
    note('dockerd killed in the middle', await settleAll(struck))
  })

  it('every verb goes on where dockerd is killed and back before anything else is asked', async () => {
    const struck = await strike(
      runs,
      ++turn,
      ({ moments }) => moments[1],
      async () => {
        await own.kill()
        await own.startAgain()
      },
    )
    note('dockerd killed, back at once', await settleAll(struck))
  })

  it.each([
    ['from the start', () => /^POST \/containers\/create$/],
    ['in the middle', ({ moments }: FaultVerb) => moments[0]],
  ] as const)(
    'every verb finishes, or the former state serves, on a disk that is full %s',
    async (when, momentOf) => {
      const struck = await strike(runs, ++turn, momentOf, () => own.fillDisk())
      await expectHonest(struck)
      await own.freeDisk()
      // Whether a last small file still finds room is chance.
      const words = [...(await settleAll(struck)).keys()].map(
        (name) => [name, 'done when there is room'] as const,
      )
      note(`disk full ${when}`, new Map(words))
    },
  )
})

describe('docs/fault-matrix.md', () => {
  it('says what each cell did (SLIPWAY_GOLDEN=write writes it anew)', async () => {
    const table = (former?: string): string =>
      matrix.table(
        faults,
        each.map(([name]) => name),
        former,
      )
    const documented = await documentedMatrix(table)
    if (process.env.SLIPWAY_GOLDEN !== 'write') expect(documented).toBe(table())
  })
})
