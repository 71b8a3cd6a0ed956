import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { acceptedIds } from '../../../src/engine/load-image.ts'
import { helperImage } from '../../../src/host/helper-image.ts'
import { withMutex } from '../../../src/host/mutex.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { silent } from '../../../src/lib/progress.ts'

interface Made {
  readonly Id: string
  readonly Name: string
  readonly Created: string
  readonly Config: { readonly Labels: Record<string, string> }
}

/** An Engine of containers that are never started, whose clock can be set. */
function engineWithClock(): { engine: Engine; clock: { now: number } } {
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') }
  let made: Made[] = []
  const containers = {
    create: async (Name: string, { Labels }: { Labels: Record<string, string> }) => {
      if (made.some((one) => one.Name === Name)) throw new SlipwayError('name-taken', `${Name} is there.`)
      const Id = `id-${made.length}-${clock.now}`
      made.push({ Id, Name, Created: new Date(clock.now).toISOString(), Config: { Labels } })
      return Id
    },
    inspect: async (wanted: string) => made.find(({ Id, Name }) => [Id, Name].includes(wanted)),
    remove: async (id: string) => {
      made = made.filter(({ Id }) => Id !== id)
    },
    putArchive: async () => {},
    getArchive: async () => undefined,
  }
  const engine = {
    version: { architecture: 'amd64' },
    images: { inspect: async () => ({ id: acceptedIds(helperImage('amd64'))[0] }) },
    containers,
    info: async () => ({ time: new Date(clock.now).toISOString() }),
  } as unknown as Engine
  return { engine, clock }
}

describe('the mutex', () => {
  it('that another run took because the clock of the Engine leapt is lost at once', async () => {
    const { engine, clock } = engineWithClock()
    await withMutex(engine, 'acme', 'install', silent, async (first) => {
      await first.check()
      clock.now += 3600_000
      await withMutex(engine, 'acme', 'reset cache', silent, async (second) => {
        await second.check()
        await expect(first.check()).rejects.toMatchObject({ code: 'mutex-lost' })
      })
    })
  })
})
