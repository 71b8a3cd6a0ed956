import { describe, expect, it } from 'vitest'
import type { ContainerDocument, VolumeDocument } from '../../../src/engine/documents.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { applyPlan } from '../../../src/host/apply.ts'
import { stateVolume } from '../../../src/host/own-things.ts'
import { planHost } from '../../../src/host/plan.ts'
import { emptyState } from '../../../src/host/state-document.ts'
import { readState } from '../../../src/host/state-volume.ts'
import type { Step } from '../../../src/host/step.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { type ProgressEvent, silent } from '../../../src/lib/progress.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost, sampleTarget, waitFor } from './sample.ts'
import { stateEngine } from './state-engine.ts'

const healthy = {
  Image: 'sha256:a',
  RestartCount: 0,
  Config: {},
  State: { Status: 'running', Running: true, Restarting: false, Health: { Status: 'healthy' } },
} as unknown as ContainerDocument

/** Writes down the calls that change something; those named in `failing` throw. */
function recordingEngine(failing: readonly string[]): { engine: Engine; calls: string[] } {
  const calls: string[] = []
  const does =
    (verb: string, answer: unknown = undefined) =>
    async (subject: string | { name: string }) => {
      const call = `${verb} ${typeof subject === 'string' ? subject : subject.name}`
      calls.push(call)
      if (failing.includes(call)) throw new SlipwayError('engine-refused', `It cannot ${call}.`)
      return answer
    }
  const engine = {
    images: { inspect: async () => undefined, tag: does('tag') },
    networks: { create: does('create', 'network-id'), remove: does('remove') },
    volumes: { inspect: async () => undefined, create: does('create'), remove: does('remove') },
    containers: {
      create: does('create', 'container-id'),
      inspect: async () => healthy,
      logs: async () => '',
      start: does('start'),
      stop: does('stop'),
      rename: does('rename'),
      remove: does('remove'),
    },
  } as unknown as Engine
  return { engine, calls }
}

async function failureOf(steps: readonly Step[], failing: string[]) {
  const { engine, calls } = recordingEngine(failing)
  const error = await applyPlan(steps, { engine, report: silent }).catch((thrown: unknown) => thrown)
  const { message, exitCode } = error as SlipwayError
  return { message, exitCode, calls }
}

const loaded = { ...emptyHost, images: [{ id: 'sha256:a', tags: ['acme:1.0.0'] }] }
const install = planHost(loaded, sampleTarget())
const installed = install.reduce(applyStep, loaded)
const change = planHost(
  installed,
  sampleTarget({ compose: composeText.replace('pids_limit: 64', 'pids_limit: 128') }),
)

describe('applyPlan', () => {
  it('takes everything back, last first, when an install fails', async () => {
    expect(await failureOf(install, ['start acme-optimiser-1'])).toEqual({
      message: 'It cannot start acme-optimiser-1. What had been made was removed again.',
      exitCode: 1,
      calls: [
        'create acme_default',
        'create acme_cache',
        'create acme-dns-1',
        'create acme-optimiser-1',
        'start acme-dns-1',
        'start acme-optimiser-1',
        'stop acme-dns-1',
        'remove container-id',
        'remove container-id',
        'remove acme_cache',
        'remove network-id',
      ],
    })
  })

  it('starts the former container again when the new one fails, and says so with exit code 5', async () => {
    expect(await failureOf(change, ['start acme-optimiser-1.next'])).toEqual({
      message:
        'It cannot start acme-optimiser-1.next. The former containers serve again; nothing else was changed.',
      exitCode: 5,
      calls: [
        'create acme-optimiser-1.next',
        'stop acme-optimiser-1',
        'start acme-optimiser-1.next',
        'start acme-optimiser-1',
        'remove container-id',
      ],
    })
  })

  it('past the point of no return says what stands and what is left, with exit code 4', async () => {
    const { message, exitCode } = await failureOf(change, ['rename acme-optimiser-1.next'])
    expect({ message, exitCode }).toEqual({
      message:
        'It cannot rename acme-optimiser-1.next. Done so far: create container acme-optimiser-1.next, stop container acme-optimiser-1, start container acme-optimiser-1.next, wait for acme-optimiser-1.next, remove container acme-optimiser-1. Still to do: rename container acme-optimiser-1.next to acme-optimiser-1; the same command again finishes it.',
      exitCode: 4,
    })
  })

  it('takes nothing back where the first removal fails: nobody knows how much of it was done', async () => {
    expect(await failureOf(change, ['remove acme-optimiser-1'])).toEqual({
      message:
        'It cannot remove acme-optimiser-1. Done so far: create container acme-optimiser-1.next, stop container acme-optimiser-1, start container acme-optimiser-1.next, wait for acme-optimiser-1.next. Still to do: remove container acme-optimiser-1, rename container acme-optimiser-1.next to acme-optimiser-1; the same command again finishes it.',
      exitCode: 4,
      calls: [
        'create acme-optimiser-1.next',
        'stop acme-optimiser-1',
        'start acme-optimiser-1.next',
        'remove acme-optimiser-1',
      ],
    })
  })

  const make: Step = { action: 'create-volume', volume: stateVolume('acme'), reason: '' }
  const store: Step = {
    action: 'store-setting',
    appliance: 'acme',
    key: 'dns.port',
    value: '1053',
    reason: '',
  }
  const start: Step = { action: 'start-container', service: 'dns', name: 'acme-dns-1', reason: '' }
  const own = { Labels: { 'io.slipway.appliance': 'acme' } }

  it.each([
    { before: 'its volume was made', steps: [make, store], there: undefined, reads: 0 },
    { before: 'its volume was there', steps: [make, store], there: own, reads: 1 },
    { before: 'more was done since', steps: [make, start, store], there: undefined, reads: 1 },
  ])('where $before, reads what is remembered $reads times', async ({ steps, there, reads }) => {
    const { engine, count } = stateEngine()
    const { volumes, containers } = recordingEngine([]).engine
    const both = {
      volumes: { ...volumes, inspect: async () => there },
      containers: { ...containers, ...engine.containers },
    }
    await applyPlan(steps, { engine: both as unknown as Engine, report: silent })
    expect(count).toEqual({ reads, writes: 1 })
  })

  it('waits for services together, and no longer for the others once one does not come up', async () => {
    const asked: string[] = []
    const inspect = async (name: string): Promise<ContainerDocument> => {
      asked.push(name)
      const State = name === 'acme-dns-1' ? { Status: 'exited', ExitCode: 3 } : { Status: 'created' }
      return { ...healthy, State } as unknown as ContainerDocument
    }
    const engine = { containers: { inspect, logs: async () => '' } } as unknown as Engine
    const steps = [waitFor('optimiser'), waitFor('dns')]
    await expect(applyPlan(steps, { engine, report: silent })).rejects.toThrow(
      'The service dns did not come up: it ended with exit code 3.',
    )
    expect(asked).toEqual(['acme-optimiser-1', 'acme-dns-1'])
  })

  it('remembers in one write, and takes that back when what follows fails', async () => {
    const { engine, count } = stateEngine()
    const { volumes } = recordingEngine(['create acme_cache']).engine
    const record = { release: '2.0.0', image: 'sha256:a', profile: 'branch' }
    const steps: Step[] = [
      { action: 'store-setting', appliance: 'acme', key: 'dns.port', value: '1053', reason: '' },
      { action: 'record-release', appliance: 'acme', record, reason: '' },
      install.find(({ action }) => action === 'create-volume')!,
    ]
    const told: ProgressEvent[] = []
    const execution = {
      engine: { ...engine, volumes } as Engine,
      report: (one: ProgressEvent) => told.push(one),
    }
    await expect(applyPlan(steps, execution)).rejects.toMatchObject({
      exitCode: 1,
      message: 'It cannot create acme_cache. What had been made was removed again.',
    })
    expect([count.writes, await readState(engine, 'acme')]).toEqual([2, emptyState])
    expect(told).toEqual([
      { type: 'start', task: 'remember dns.port=1053' },
      { type: 'start', task: 'record release 2.0.0' },
      { type: 'finish', task: 'remember dns.port=1053' },
      { type: 'finish', task: 'record release 2.0.0' },
      { type: 'start', task: 'create volume acme_cache' },
      { type: 'note', text: 'undone: remember dns.port=1053' },
    ])
  })

  it('says what stands when undoing fails too', async () => {
    const { message, exitCode } = await failureOf(change, [
      'start acme-optimiser-1.next',
      'start acme-optimiser-1',
    ])
    expect({ message, exitCode }).toEqual({
      message:
        'It cannot start acme-optimiser-1.next. Undoing it failed as well, and this stands: stop container acme-optimiser-1 (It cannot start acme-optimiser-1.); the same command again finishes or repairs it.',
      exitCode: 4,
    })
  })

  it('tries once more to take back what failed, when the rest is undone: on a full disk that makes room', async () => {
    const { engine, calls } = recordingEngine(['start acme-optimiser-1.next'])
    let isFull = true
    const containers = {
      ...engine.containers,
      start: async (name: string) => {
        await engine.containers.start(name)
        if (isFull) throw new SlipwayError('no-space', 'The disk is full.')
      },
      remove: async (id: string) => {
        await engine.containers.remove(id)
        isFull = false
      },
    }
    const full = { ...engine, containers } as unknown as Engine
    await expect(applyPlan(change, { engine: full, report: silent })).rejects.toMatchObject({
      exitCode: 5,
      message:
        'It cannot start acme-optimiser-1.next. The former containers serve again; nothing else was changed.',
    })
    expect(calls.slice(3)).toEqual([
      'start acme-optimiser-1',
      'remove container-id',
      'start acme-optimiser-1',
    ])
  })

  it('takes nothing back where the Engine has gone: one sentence says what stands, with exit code 4', async () => {
    const { engine, calls } = recordingEngine([])
    const start = async (): Promise<never> => {
      throw new SlipwayError('engine-gone', 'The Docker Engine closed the connection.')
    }
    const error = await applyPlan(change, {
      engine: { ...engine, containers: { ...engine.containers, start } } as unknown as Engine,
      report: silent,
    }).catch((thrown: unknown) => thrown as SlipwayError)
    expect(error).toMatchObject({
      code: 'engine-gone',
      exitCode: 4,
      message:
        'The Docker Engine closed the connection. Done so far: create container acme-optimiser-1.next, stop container acme-optimiser-1. Still to do: start container acme-optimiser-1.next, wait for acme-optimiser-1.next, remove container acme-optimiser-1, rename container acme-optimiser-1.next to acme-optimiser-1; the same command again finishes it.',
    })
    expect(calls).toEqual(['create acme-optimiser-1.next', 'stop acme-optimiser-1'])
  })

  it('touches nothing more, not even to take it back, once another run has taken over', async () => {
    const { engine, calls } = recordingEngine([])
    let asked = 0
    const check = async (): Promise<void> => {
      if (++asked > 2) throw new SlipwayError('mutex-lost', 'Another run may have taken over.')
    }
    const apply = () => applyPlan(change, { engine, report: silent, check })
    await expect(apply()).rejects.toMatchObject({ code: 'mutex-lost', exitCode: 4 })
    expect(calls).toEqual(['create acme-optimiser-1.next', 'stop acme-optimiser-1'])
    await expect(apply()).rejects.toMatchObject({
      exitCode: 1,
      message: 'Another run may have taken over.',
    })
  })

  it('leaves an error alone when nothing had been done', async () => {
    expect(await failureOf(install, ['create acme_default'])).toEqual({
      message: 'It cannot create acme_default.',
      exitCode: 1,
      calls: ['create acme_default'],
    })
  })

  it('interrupted before its first step says that nothing was changed', async () => {
    const { engine, calls } = recordingEngine([])
    const signal = AbortSignal.abort(new Error('Ctrl-C'))
    await expect(applyPlan(install, { engine, report: silent, signal })).rejects.toMatchObject({
      code: 'interrupted',
      message: 'Interrupted; nothing was changed.',
    })
    expect(calls).toEqual([])
  })

  it('stops at an interruption and takes back what was done', async () => {
    const { engine, calls } = recordingEngine([])
    const interrupt = new AbortController()
    const report = (event: { type: string; task?: string }) => {
      if (event.type === 'finish' && event.task === 'create volume acme_cache') {
        interrupt.abort(new SlipwayError('interrupted', 'Interrupted.'))
      }
    }
    await expect(applyPlan(install, { engine, report, signal: interrupt.signal })).rejects.toThrow(
      'Interrupted. What had been made was removed again.',
    )
    expect(calls).toEqual([
      'create acme_default',
      'create acme_cache',
      'remove acme_cache',
      'remove network-id',
    ])
  })

  it('neither takes nor deletes a volume that a stranger made since the plan was', async () => {
    const { engine, calls } = recordingEngine([])
    const inspect = async () => ({ Labels: null }) as VolumeDocument
    const volumes = { ...engine.volumes, inspect }
    const error = await applyPlan(install, { engine: { ...engine, volumes }, report: silent }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({
      message:
        'The volume acme_cache came to this host in the meantime and is not of the appliance acme; remove it, or choose another --name. What had been made was removed again.',
    })
    expect(calls).toEqual(['create acme_default', 'remove network-id'])
  })
})
