import { describe, expect, it } from 'vitest'
import type { Licence } from '../../../src/bundle/licence/licence.ts'
import {
  checkLicence,
  type LicenceQuestion,
  presentRelease,
} from '../../../src/host/licence/check-licence.ts'

const licence: Licence = {
  format: 1,
  id: 'a1',
  product: 'acme-wan',
  customer: 'Example Ltd',
  features: ['wan'],
  issued: '2026-01-31',
  expires: '2026-12-31',
}
const since = '2026-02-01T00:00:00Z'
const good = { licence, since }
const over = { licence: { ...licence, expires: '2026-06-30' }, since }

const ask = (more: Partial<LicenceQuestion>): readonly string[] | string => {
  const question = {
    product: 'acme-wan',
    wanted: ['wan'],
    release: '2.0.0',
    now: new Date('2026-11-20T00:00:00Z'),
    ...more,
  }
  try {
    return checkLicence(question)
  } catch (error) {
    const { exitCode, message } = error as Error & { exitCode: number }
    return `${exitCode}: ${message}`
  }
}

const next = 'put a new one in place with `slipway install --licence FILE`'

describe('an install', () => {
  it('goes on where no component asks for a licence, or a good one is there or given', () => {
    expect([ask({ wanted: [] }), ask({ installed: good }), ask({ given: good })]).toEqual([[], [], []])
  })

  it('needs a licence the first time', () => {
    expect(ask({})).toBe(
      `2: A licence for wan is needed, so release 2.0.0 is not installed; ${next.replace('a new one', 'it')}.`,
    )
  })

  it('never stops what runs: with an ended licence the same release goes on', () => {
    expect(ask({ installed: over, running: '2.0.0' })).toEqual([
      `The licence of Example Ltd ended on 2026-06-30: acme-wan 2.0.0 goes on as it is, and takes no other release; ${next}.`,
    ])
  })

  it('of the release that is there but stopped goes on as well, and of another one never', () => {
    const stopped = { release: '2.0.0', status: 'exited' } as const
    const half = { release: '1.0.0', status: 'created' } as const
    expect(presentRelease([half, stopped], '2.0.0')).toBe('2.0.0')
    expect(presentRelease([stopped], '3.0.0')).toBe('2.0.0')
    expect(presentRelease([stopped, { ...half, status: 'running' }], '2.0.0')).toBe('1.0.0')
    expect(presentRelease([], '2.0.0')).toBeUndefined()
  })

  it('of another release is refused with an ended licence', () => {
    expect(ask({ installed: over, running: '1.0.0' })).toBe(
      `3: The licence of Example Ltd ended on 2026-06-30, so release 2.0.0 is not installed; acme-wan 1.0.0 goes on as it is; ${next}.`,
    )
  })

  it('of another release is refused with a licence that nobody signed', () => {
    expect(ask({ installed: 'forged', running: '1.0.0' })).toBe(
      `3: The licence on the host was signed by no key of this product, so release 2.0.0 is not installed; acme-wan 1.0.0 goes on as it is; ${next}.`,
    )
  })

  it('of a release that asks for more than was granted is refused', () => {
    expect(ask({ installed: good, wanted: ['wan', 'tunnel'], running: '1.0.0' })).toBe(
      `3: The licence of Example Ltd does not grant tunnel, so release 2.0.0 is not installed; acme-wan 1.0.0 goes on as it is; ${next}.`,
    )
  })

  it('takes no licence that is of another product, ended, or too small', () => {
    const other = { licence: { ...licence, product: 'other-wan' }, since }
    expect([ask({ given: other }), ask({ given: over }), ask({ given: good, wanted: ['tunnel'] })]).toEqual([
      '2: The licence of Example Ltd is for other-wan, and this is acme-wan; ask for one for acme-wan.',
      '2: The licence of Example Ltd ended on 2026-06-30; ask for a new one.',
      '2: The licence of Example Ltd does not grant tunnel; ask for one that does.',
    ])
  })
})
