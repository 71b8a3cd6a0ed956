import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { noteReload } from '../../../src/host/due-reload.ts'
import { emptyState } from '../../../src/host/state-document.ts'
import { readState } from '../../../src/host/state-volume.ts'
import { stateEngine } from './state-engine.ts'

/** An Engine on which the DNS cache runs; its state says which reloads are due. */
function hostWith(reloads: Record<string, string>): Engine {
  const { engine } = stateEngine({ ...emptyState, reloads })
  const running = { Id: 'dns-id', State: { Running: true, StartedAt: 'today' } }
  const { inspect } = engine.containers
  const containers = {
    ...engine.containers,
    inspect: async (name: string) => (name === 'acme-dns-1' ? running : inspect(name)),
  }
  return { containers } as unknown as Engine
}

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
})
