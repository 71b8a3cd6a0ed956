import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import { FaultBench, type Outcome } from '../support/fault-bench.ts'
import { documentedMatrix, FaultMatrix } from '../support/fault-matrix.ts'

type Start = 'nothing' | '1.0.0' | '2.0.0'

/** A verb whose command differs from turn to turn, so that each turn has something to do. */
interface Verb {
  readonly start: (turn: number) => Start
  readonly command: (bench: FaultBench, turn: number) => string[]
  /** What is there when it is done; "volumes": nothing but those. */
  readonly end: (turn: number) => Start | 'volumes'
  readonly check?: (bench: FaultBench, turn: number) => Promise<void>
}

const isOdd = (turn: number): boolean => turn % 2 === 1
const limit = (turn: number): number => (isOdd(turn) ? 24 : 32)

const verbs: Readonly<Record<string, Verb>> = {
  memory: {
    start: () => '1.0.0',
    command: (bench, turn) => bench.verb('memory', 'keeper', `${limit(turn)}m`),
    end: () => '1.0.0',
    check: async (bench, turn) => expect(await bench.memory()).toBe(limit(turn) * 2 ** 20),
  },
  uninstall: {
    start: () => '1.0.0',
    command: (bench) => bench.verb('uninstall', '--yes'),
    end: () => 'nothing',
  },
}

const faults = ['killed after any change', 'stale mutex'] as const

const matrix = new FaultMatrix()

/** Brings a bench to where a verb starts; returns what the volume holds, where there is one. */
async function arrange(bench: FaultBench, verb: Verb, turn: number): Promise<string> {
  const start = verb.start(turn)
  if (start === 'nothing') {
    if ((await bench.picture()).length > 0) await bench.must(bench.verb('uninstall', '--yes'))
    return ''
  }
  const there = await bench.picture()
  if (there.join() !== expected(bench, start).join()) await bench.must(bench.install(start))
  if ((await bench.readData()) === '') await bench.writeData()
  return bench.readData()
}

/** The appliance's things when nothing is wrong. */
function expected(bench: FaultBench, end: Start | 'volumes'): string[] {
  const { name } = bench
  const volumes = [`volume ${name}_data`, `volume ${name}_state`]
  if (end === 'nothing') return []
  if (end === 'volumes') return volumes
  const containers = ['front', 'keeper'].map((service) => `container ${name}-${service}-1 running ${end}`)
  return [...containers, `network ${name}_default`, ...volumes]
}

/** Types the command again, after an install where it asks for that; then all must be as the verb promises. */
async function settle(
  bench: FaultBench,
  verb: Verb,
  turn: number,
  data: string,
  look: (again: Outcome) => void = () => {},
): Promise<string> {
  bench.relay.watch()
  const again = await bench.run(verb.command(bench, turn))
  look(again)
  let words = 'done'
  if (again.exitCode !== 0) {
    await bench.must(bench.install(verb.start(turn) === 'nothing' ? '1.0.0' : verb.start(turn)))
    await bench.must(verb.command(bench, turn))
    words = 'install, then done'
  }
  const end = verb.end(turn)
  expect(await bench.picture()).toEqual(expected(bench, end))
  await verb.check?.(bench, turn)
  if (end === 'volumes') await bench.must(bench.install('1.0.0'))
  if (data !== '' && end !== 'nothing') expect(await bench.readData()).toBe(data)
  return words
}

const each = Object.entries(verbs)

describe.concurrent('on the host’s Engine', () => {
  const benches = new Map<string, FaultBench>()

  beforeAll(async () => {
    const engine = await connectEngine()
    for (const [index, [name]] of each.entries()) {
      benches.set(name, await FaultBench.open(engine, `slipway-faults-${process.pid}x${index}`))
    }
  })
  afterAll(() => Promise.all([...benches.values()].map((bench) => bench.close())))

  it.each(each)(
    '%s finishes when it is typed again, killed after any of its changes',
    async (name, verb) => {
      const bench = benches.get(name)!
      for (let turn = 1; ; turn++) {
        const data = await arrange(bench, verb, turn)
        const killed = await bench.harm(verb.command(bench, turn), turn, () => bench.kill())
        if (killed.exitCode !== null) {
          expect({ turn, exitCode: killed.exitCode, changes: bench.relay.changes.length }).toEqual({
            turn,
            exitCode: 0,
            changes: turn - 1,
          })
          break
        }
        const words = await settle(bench, verb, turn, data, (again) => {
          if (turn === 1) expect(again.stderr).toMatch(/Taking over from .*: .*\./)
        })
        expect({ turn, words }).toEqual({ turn, words: 'done' })
      }
      matrix.note('killed after any change', name, 'again: done')
      matrix.note('stale mutex', name, 'taken over; done')
    },
    600_000,
  )
})

describe('docs/fault-matrix.md', () => {
  it('says what each cell did (SLIPWAY_GOLDEN=write writes it anew)', async () => {
    const table = matrix.table(faults, Object.keys(verbs))
    expect(await documentedMatrix(table)).toBe(table)
  })
})
