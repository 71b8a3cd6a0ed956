import { expect } from 'vitest'
import type { Data, FaultBench, Outcome } from './fault-bench.ts'

/** What is there: nothing, nothing but volumes, or a release. */
export type Stand = 'nothing' | 'volumes' | '1.0.0' | '2.0.0'

/** A verb, with a command that has something to do each turn. */
export interface FaultVerb {
  readonly start: (turn: number) => Exclude<Stand, 'volumes'>
  readonly command: (bench: FaultBench, turn: number) => string[]
  readonly end: (turn: number) => Stand
  /** The first change of each kind is where a fault hurts most: once as soon as something is stopped or changed, once later. */
  readonly moments: readonly [RegExp, RegExp]
  /** Killed after every second change only, where another verb takes the same steps. */
  readonly stride?: 2
  /** What makes the service sick when this verb meets it. */
  readonly sick: 'release' | 'backup' | 'volume' | 'itself'
  /** What it does to what the services hold; absent: all of that is as before. */
  readonly data?: (before: Data, bench: FaultBench) => Partial<Data>
  readonly check?: (bench: FaultBench, turn: number) => Promise<void>
}

const limit = (turn: number): number => (turn % 2 === 1 ? 24 : 32)
const volumesStay = ({ data, cache }: Data): Partial<Data> => ({ data, cache })

export const faultVerbs = {
  install: {
    start: () => 'nothing',
    command: (bench) => bench.install('1.0.0'),
    end: () => '1.0.0',
    moments: [/POST .*\/start$/, /PUT .*\/archive$/],
    sick: 'release',
  },
  'install of another release': {
    start: (turn) => (turn % 2 === 1 ? '1.0.0' : '2.0.0'),
    command: (bench, turn) => bench.install(turn % 2 === 1 ? '2.0.0' : '1.0.0'),
    end: (turn) => (turn % 2 === 1 ? '2.0.0' : '1.0.0'),
    moments: [/POST .*\/stop$/, /DELETE \/containers\//],
    sick: 'release',
    data: volumesStay,
  },
  'install of other settings': {
    start: () => '1.0.0',
    command: (bench, turn) => [...bench.install('1.0.0'), '--set', `keeper.memory=${limit(turn)}m`],
    end: () => '1.0.0',
    moments: [/POST .*\/update$/, /PUT .*\/archive$/],
    sick: 'release',
    check: expectTold,
  },
  memory: {
    start: () => '1.0.0',
    command: (bench, turn) => bench.verb('memory', 'keeper', `${limit(turn)}m`),
    end: () => '1.0.0',
    moments: [/POST .*\/update$/, /PUT .*\/archive$/],
    sick: 'itself',
    check: expectTold,
  },
  'reset clean': {
    start: () => '1.0.0',
    command: (bench) => bench.verb('reset', 'clean', '--yes'),
    end: () => '1.0.0',
    moments: [/POST .*\/stop$/, /DELETE \/containers\//],
    stride: 2,
    sick: 'volume',
    data: ({ data, cache }) => ({ data, cache, mark: '' }),
  },
  'reset cache': {
    start: () => '1.0.0',
    command: (bench) => bench.verb('reset', 'cache', '--yes'),
    end: () => '1.0.0',
    moments: [/POST .*\/stop$/, /DELETE \/containers\//],
    sick: 'volume',
    data: ({ data }) => ({ data, cache: '', mark: '' }),
  },
  restore: {
    start: () => '1.0.0',
    command: (bench) => bench.restore(),
    end: () => '1.0.0',
    moments: [/POST .*\/stop$/, /DELETE \/containers\//],
    sick: 'backup',
    data: ({ cache }, bench) => ({ ...bench.backedUp, cache }),
  },
  uninstall: {
    start: () => '1.0.0',
    command: (bench) => bench.verb('uninstall', '--yes'),
    end: () => 'nothing',
    moments: [/POST .*\/stop$/, /DELETE \/networks\//],
    sick: 'itself',
  },
  'uninstall --keep-data': {
    start: () => '1.0.0',
    command: (bench) => bench.verb('uninstall', '--keep-data', '--yes'),
    end: () => 'volumes',
    moments: [/POST .*\/stop$/, /DELETE \/networks\//],
    stride: 2,
    sick: 'itself',
    data: volumesStay,
  },
} satisfies Readonly<Record<string, FaultVerb>>

/** The limit stands, and the service knows. */
async function expectTold(bench: FaultBench, turn: number): Promise<void> {
  const bytes = limit(turn) * 2 ** 20
  expect({ memory: await bench.memory(), told: await bench.told() }).toEqual({ memory: bytes, told: bytes })
}

/** The appliance's things when nothing is wrong. */
export function expectedPicture({ name }: FaultBench, stand: Stand): string[] {
  const volumes = ['volume cache', 'volume data', 'volume state']
  if (stand === 'nothing') return []
  if (stand === 'volumes') return volumes
  const containers = ['front', 'keeper'].map((service) => `container ${name}-${service}-1 running ${stand}`)
  return [...containers, `network ${name}_default`, ...volumes]
}

/** Brings a bench to where a verb starts, with something new in volumes and container; returns what they hold. */
export async function arrange(bench: FaultBench, verb: FaultVerb, turn: number): Promise<Data | undefined> {
  const start = verb.start(turn)
  const there = await bench.picture()
  if (start === 'nothing') {
    if (there.length > 0) await bench.must(bench.verb('uninstall', '--yes'))
    return undefined
  }
  if (there.join() !== expectedPicture(bench, start).join()) await bench.must(bench.install(start))
  if (verb.command(bench, turn).includes('restore') && !bench.backedUp) await bench.backUp()
  await bench.writeData()
  return bench.readData()
}

/**
 * Types the command again, after an install where it asks for that; then all must be as the verb promises. Returns in
 * words what it took; `before` is what the services held.
 */
export async function settle(
  bench: FaultBench,
  verb: FaultVerb,
  turn: number,
  before: Data | undefined,
  look: (again: Outcome) => void = () => {},
): Promise<string> {
  bench.relay.watch()
  const again = await bench.run(verb.command(bench, turn))
  look(again)
  let words = 'done'
  if (again.exitCode !== 0) {
    const start = verb.start(turn)
    await bench.must(bench.install(start === 'nothing' ? '1.0.0' : start))
    await bench.must(verb.command(bench, turn))
    words = 'install, then done'
  }
  words += await startWhatEnded(bench, verb.end(turn))
  await expectDone(bench, verb, turn, before)
  return words
}

/**
 * An Engine 20.10 that was killed ends what it finds still running, and starts it again only with the policy "always".
 * Returns what was needed to bring it back, in words.
 */
export async function startWhatEnded(bench: FaultBench, stand: Stand): Promise<string> {
  const ended = (await bench.picture()).some((line) => / exited /.test(line))
  if (!ended || stand === 'nothing' || stand === 'volumes') return ''
  await bench.must(bench.install(stand))
  return ', then install'
}

/** All is as the verb promises. */
export async function expectDone(
  bench: FaultBench,
  verb: FaultVerb,
  turn: number,
  before: Data | undefined,
): Promise<void> {
  const end = verb.end(turn)
  expect(await bench.picture()).toEqual(expectedPicture(bench, end))
  expect(await bench.planned(end)).toEqual([])
  await verb.check?.(bench, turn)
  if (!before || end === 'nothing') return
  if (end === 'volumes') await bench.must(bench.install('1.0.0'))
  expect(await bench.readData()).toMatchObject(verb.data ? verb.data(before, bench) : before)
}
