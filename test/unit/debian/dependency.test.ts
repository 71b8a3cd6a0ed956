import { describe, expect, it } from 'vitest'
import { formatAlternatives, parseDependencies, parseProvides } from '../../../src/debian/dependency.ts'

describe('parseDependencies', () => {
  it('reads clauses, alternatives, versions and architectures', () => {
    expect(
      parseDependencies('libc6 (>= 2.36), mawk | gawk(>=1:5) ,\n python3:any , perl:amd64 ( = 5.40-1 )'),
    ).toEqual([
      [{ name: 'libc6', relation: '>=', version: '2.36' }],
      [{ name: 'mawk' }, { name: 'gawk', relation: '>=', version: '1:5' }],
      [{ name: 'python3', architecture: 'any' }],
      [{ name: 'perl', architecture: 'amd64', relation: '=', version: '5.40-1' }],
    ])
  })

  it('takes the old < and > for "or equal", as dpkg does', () => {
    expect(parseDependencies('a (< 1), b (> 2)')).toEqual([
      [{ name: 'a', relation: '<=', version: '1' }],
      [{ name: 'b', relation: '>=', version: '2' }],
    ])
  })

  it('takes an empty field and a trailing comma', () => {
    expect([parseDependencies(''), parseDependencies('a,')]).toEqual([[], [[{ name: 'a' }]]])
  })

  it.each([
    [
      'a (>= )',
      'The dependency "a (>= )" cannot be read: expected name[:architecture] [(relation version)].',
    ],
    [
      'a [amd64]',
      'The dependency "a [amd64]" cannot be read: expected name[:architecture] [(relation version)].',
    ],
    ['a || b', 'The dependency "" cannot be read: expected name[:architecture] [(relation version)].'],
    ['a (=> 1)', 'The dependency "a (=> 1)" cannot be read: => is no version relation.'],
    ['../a', 'The dependency "../a" cannot be read: expected name[:architecture] [(relation version)].'],
  ])('refuses %s', (text, sentence) => {
    expect(() => parseDependencies(text)).toThrow(sentence)
  })

  it('writes a clause as it is read', () => {
    const text = 'mawk | gawk:any (>= 1:5) | awk'
    expect(formatAlternatives(parseDependencies(text)[0]!)).toBe(text)
  })
})

describe('parseProvides', () => {
  it('reads names and exact versions', () => {
    expect(parseProvides('awk, libssl3 (= 3.5.1-1)')).toEqual([
      { name: 'awk' },
      { name: 'libssl3', version: '3.5.1-1' },
    ])
  })

  it('refuses any relation but =', () => {
    expect(() => parseProvides('awk (>= 1)')).toThrow(
      'The dependency "awk (>= 1)" cannot be read: a Provides takes no relation but =.',
    )
  })
})
