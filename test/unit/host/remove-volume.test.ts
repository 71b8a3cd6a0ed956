import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { applyPlan } from '../../../src/host/apply.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { silent } from '../../../src/lib/progress.ts'

interface Held {
  readonly id: string
  readonly role?: string
  readonly volume: string
}

/** An Engine that, as they do, removes no volume that a container mounts, whether that runs or not. */
function engineWith(there: readonly Held[]): { engine: Engine; removed: string[] } {
  const removed: string[] = []
  const left = (): Held[] => there.filter(({ id }) => !removed.includes(id))
  const engine = {
    volumes: {
      remove: async (name: string) => {
        if (left().some(({ volume }) => volume === name))
          throw new SlipwayError('conflict', `${name} is in use.`)
        removed.push(name)
      },
    },
    containers: {
      list: async (labels: Record<string, string>) =>
        left().filter(({ role }) => role === labels['io.slipway.role']),
      inspect: async (id: string) => ({
        Id: id,
        Mounts: left()
          .filter((one) => one.id === id)
          .map(({ volume }) => ({ Name: volume })),
      }),
      remove: async (id: string) => void removed.push(id),
    },
  } as unknown as Engine
  return { engine, removed }
}

const steps = [{ action: 'remove-volume', name: 'acme_cache', reason: 'emptied' }] as const

describe('the removal of a volume', () => {
  it('takes along what a killed backup left to read it, and nothing else', async () => {
    const { engine, removed } = engineWith([
      { id: 'left', role: 'reader', volume: 'acme_cache' },
      { id: 'other', role: 'reader', volume: 'acme_settings' },
    ])
    await applyPlan(steps, { engine, report: silent })
    expect(removed).toEqual(['left', 'acme_cache'])
  })

  it('that a container of somebody else mounts is refused in the words of the Engine', async () => {
    const { engine, removed } = engineWith([{ id: 'stranger', volume: 'acme_cache' }])
    await expect(applyPlan(steps, { engine, report: silent })).rejects.toThrow('acme_cache is in use.')
    expect(removed).toEqual([])
  })
})
