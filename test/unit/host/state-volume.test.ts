import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { tarOfFile } from '../../../src/host/small-file.ts'
import { emptyState, formatCopy } from '../../../src/host/state-document.ts'
import { readState, readWholeState } from '../../../src/host/state-volume.ts'
import { caughtLater } from '../../support/caught.ts'

function engineWith(text: string): Engine {
  const containers = {
    inspect: async () => ({ Config: { Labels: { 'io.slipway.role': 'state' } } }),
    getArchive: async () => Readable.from([tarOfFile('state/state-1.json', text)]),
  }
  return { containers } as unknown as Engine
}

it('a damaged state stops who needs it, and nobody who is to replace it', async () => {
  const damaged = engineWith('{"generation":')
  expect(await caughtLater(() => readState(damaged, 'acme'))).toMatchObject({ code: 'damaged-state' })
  expect(await readWholeState(damaged, 'acme')).toBeUndefined()
  const whole = engineWith(formatCopy({ generation: 1, document: emptyState }))
  expect(await readWholeState(whole, 'acme')).toEqual(emptyState)
})
