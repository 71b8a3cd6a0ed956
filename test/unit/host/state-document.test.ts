import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  emptyState,
  formatCopy,
  newestCopy,
  type StateDocument,
  withRelease,
  withStoredSetting,
} from '../../../src/host/state-document.ts'
import { digestOf } from '../../../src/lib/digest.ts'
import { caught } from '../../support/caught.ts'

function facts(action: () => unknown) {
  const { code, exitCode, message } = caught(action)
  return { code, exitCode, message }
}

const settings = fc.dictionary(fc.constantFrom('dns.memory', 'dns.port', 'optimiser.memory'), fc.string())
const document = settings.map((all): StateDocument => ({ ...emptyState, settings: all }))

describe('the stored state', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(document, fc.nat(), (one, generation) => {
        expect(newestCopy([formatCopy({ generation, document: one })], 'acme')).toEqual({
          generation,
          document: one,
        })
      }),
    )
  })

  it('is the former document as long as the new one is cut off anywhere', () => {
    fc.assert(
      fc.property(document, document, fc.double({ min: 0, max: 1, noNaN: true }), (old, next, part) => {
        const former = { generation: 7, document: old }
        const written = formatCopy({ generation: 8, document: next }).trimEnd()
        const cut = written.slice(0, Math.floor(part * (written.length - 1)))
        expect(newestCopy([formatCopy(former), cut], 'acme')).toEqual(former)
      }),
    )
  })

  it('is the newer of two whole copies, whichever is read first', () => {
    const copies = [1, 2].map((generation) =>
      formatCopy({ generation, document: withStoredSetting(emptyState, 'dns.port', String(generation)) }),
    )
    expect(newestCopy(copies, 'acme')?.document.settings).toEqual({ 'dns.port': '2' })
    expect(newestCopy(copies.reverse(), 'acme')?.document.settings).toEqual({ 'dns.port': '2' })
  })

  it('keeps fields that this release does not know', () => {
    const text = formatCopy({ generation: 1, document: { ...emptyState, colour: 'blue' } as StateDocument })
    expect(newestCopy([text], 'acme')?.document).toEqual({ ...emptyState, colour: 'blue' })
  })

  it('of a later format is refused', () => {
    const later = { ...emptyState, version: 2 }
    const text = JSON.stringify({ generation: 1, digest: digestOf(JSON.stringify(later)), document: later })
    expect(facts(() => newestCopy([text], 'acme'))).toEqual({
      code: 'newer-state',
      exitCode: 2,
      message:
        "The stored settings of acme have format 2, and this Slipway reads format 1: they are a newer Slipway's, so run the command with that.",
    })
  })

  it('of which no copy is whole is refused', () => {
    const changed = formatCopy({ generation: 1, document: emptyState }).replace(
      '"history": []',
      '"history": [1]',
    )
    expect(facts(() => newestCopy([changed, '{', 'null', '{}'], 'acme'))).toEqual({
      code: 'damaged-state',
      exitCode: 1,
      message:
        'The stored settings of acme (volume acme_state) are damaged; `slipway restore` puts them back from a backup, `slipway reset settings` goes on without them.',
    })
  })
})

describe('a stored setting', () => {
  it('is there once it is set, and setting and forgetting it changes no other', () => {
    fc.assert(
      fc.property(document, fc.string(), (before, value) => {
        const { 'dns.port': _, ...others } = before.settings
        const set = withStoredSetting(before, 'dns.port', value)
        expect(set.settings).toEqual({ ...others, 'dns.port': value })
        expect(withStoredSetting(set, 'dns.port', undefined).settings).toEqual(others)
        expect(withStoredSetting(set, 'dns.port', value)).toEqual(set)
      }),
    )
  })

  it('is written in the same order whatever was set first', () => {
    const both = ['dns.port', 'dns.memory'].reduce((one, key) => withStoredSetting(one, key, '1'), emptyState)
    expect(Object.keys(both.settings)).toEqual(['dns.memory', 'dns.port'])
  })
})

describe('the release history', () => {
  it('keeps the last hundred', () => {
    const record = (number: number) => ({
      at: '2026-01-01T00:00:00Z',
      release: `1.0.${number}`,
      image: 'sha256:a',
      profile: 'branch',
    })
    const { history } = Array.from({ length: 150 }, (_, index) => record(index)).reduce(
      withRelease,
      emptyState,
    )
    expect([history.length, history[0]?.release, history.at(-1)?.release]).toEqual([100, '1.0.50', '1.0.149'])
  })
})
