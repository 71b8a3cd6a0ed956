import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { applyPlan } from '../../../src/host/apply.ts'
import { noteReload } from '../../../src/host/due-reload.ts'
import { emptyState } from '../../../src/host/state-document.ts'
import { readState } from '../../../src/host/state-volume.ts'
import type { Step } from '../../../src/host/step.ts'
import { silent } from '../../../src/lib/progress.ts'
import { stateEngine } from './state-engine.ts'

/** An Engine on which the DNS cache runs and can be told of its memory; its state says which reloads are due. */
function hostWith(reloads: Record<string, string>): Engine {
  const { engine } = stateEngine({ ...emptyState, ...(Object.keys(reloads).length > 0 && { reloads }) })
  const running = { Id: 'dns-id', State: { Running: true, StartedAt: 'today' } }
  const { inspect } = engine.containers
  let limit = 64 * MiB
  const containers = {
    ...engine.containers,
    inspect: async (name: string) => (name === 'acme-dns-1' ? running : inspect(name)),
    memory: async () => ({ used: 0, limit }),
    update: async (_: string, { memory }: { memory: number }) => {
      limit = memory
    },
    exec: async (name: string, [program = '']: readonly string[]) => {
      const stderr = name === 'acme-dns-1' ? '' : 'no room.'
      return { exitCode: stderr === '' && program !== 'cat' ? 0 : 1, stdout: '', stderr }
    },
  }
  return { containers } as unknown as Engine
}

const MiB = 2 ** 20
const dns = { service: 'dns', name: 'acme-dns-1', notedIn: 'acme' }
const due = async (engine: Engine) => (await readState(engine, 'acme')).reloads ?? {}

describe('that a reload is due', () => {
  it('is noted before the limit changes, and no longer once the change is taken back', async () => {
    const engine = hostWith({})
    const seen: unknown[] = []
    const takeBack = await noteReload(engine, dns, async () => {
      seen.push(await due(engine))
      return async () => {}
    })
    seen.push(await due(engine))
    await takeBack!()
    seen.push(await due(engine))
    expect(seen).toEqual([{ dns: 'dns-id today' }, { dns: 'dns-id today' }, {}])
  })

  it('stays noted by an earlier run, where a change more is refused or taken back: that run was cut off', async () => {
    const before = { dns: 'dns-id today', optimiser: 'optimiser-id' }
    const refused = hostWith(before)
    const refuse = async () => {
      throw new Error('below present use')
    }
    await expect(noteReload(refused, dns, refuse)).rejects.toThrow('below present use')
    const undone = hostWith(before)
    const takeBack = await noteReload(undone, dns, async () => async () => {})
    await takeBack!()
    expect([await due(refused), await due(undone)]).toEqual([before, before])
  })

  it('is noted again where a limit is taken back of which the service has been told', async () => {
    const engine = hostWith({})
    const limit = (size: number) => ({ memory: size * MiB, swap: size * MiB })
    const record = { release: '2.0.0', image: 'sha256:a', profile: 'branch' }
    const reload = { action: 'reload-service', command: ['reload'], notedIn: 'acme', reason: '' } as const
    const steps: Step[] = [
      { ...dns, action: 'set-memory', limit: limit(128), previous: limit(64), force: false, reason: '' },
      { action: 'record-release', appliance: 'acme', record, reason: '' },
      { ...reload, service: 'dns', name: dns.name },
      { ...reload, service: 'optimiser', name: 'acme-optimiser-1' },
    ]
    await expect(applyPlan(steps, { engine, report: silent })).rejects.toMatchObject({ exitCode: 1 })
    expect(await readState(engine, 'acme')).toEqual({ ...emptyState, reloads: { dns: 'dns-id today' } })
  })
})
