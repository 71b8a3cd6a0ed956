import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareVersions, satisfies } from '../../../src/debian/version.ts'

/** Each line stands in ascending order. */
const ladders = [
  ['1.0~~', '1.0~~a', '1.0~', '1.0~rc1', '1.0', '1.0a', '1.0+b1', '1.0.1', '1.1', '1.10', '2'],
  ['5.6-1', '5.6-1+b1', '5.6-1+b2', '5.6-1+b10', '5.6-1+deb13u1', '5.6-1.1', '5.6-2'],
  ['9', '1:0', '1:1.3.dfsg+really1.3.1-1', '2:0~', '2:0'],
  ['1-1~bpo13+1', '1-1', '1-1-1', '1.2-0'],
  ['1-2-1', '1-2-2', '1-2+b1-1'],
  ['0a', '0b', '0+', '0.'],
]

describe('compareVersions', () => {
  it('orders versions as Debian Policy does', () => {
    for (const ladder of ladders) {
      const shuffled = [...ladder].reverse()
      expect(shuffled.sort(compareVersions)).toEqual(ladder)
    }
  })

  it('takes an absent epoch for 0, an absent revision for 0 and leading zeros for nothing', () => {
    for (const [a, b] of [
      ['1.0', '0:1.0'],
      ['1.0', '1.0-0'],
      ['1.01', '1.1'],
      ['1.', '1.0'],
    ] as const) {
      expect([a, b, compareVersions(a, b)]).toEqual([a, b, 0])
    }
  })

  it('compares numbers of any length', () => {
    expect(compareVersions('1.20240905123456789012', '1.20240905123456789013')).toBeLessThan(0)
    expect(compareVersions('1.99999999999999999999', '1.100000000000000000000')).toBeLessThan(0)
  })

  it('is a total order: antisymmetric and transitive', () => {
    const version = fc.string({ unit: fc.constantFrom(...'0129az~+.-:'), minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0)
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('satisfies', () => {
  it('reads each relation', () => {
    const table = (['<<', '<=', '=', '>=', '>>'] as const).map((relation) => [
      relation,
      ...['1', '2', '3'].map((version) => satisfies(version, relation, '2')),
    ])
    expect(table).toEqual([
      ['<<', true, false, false],
      ['<=', true, true, false],
      ['=', false, true, false],
      ['>=', false, true, true],
      ['>>', false, false, true],
    ])
  })
})
