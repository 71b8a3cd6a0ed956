import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSize, parseSize } from '../../../src/definition/size.ts'

describe('parseSize', () => {
  it.each([
    ['512m', 536_870_912],
    ['2g', 2_147_483_648],
    ['1.5g', 1_610_612_736],
    ['64MB', 67_108_864],
    ['8KiB', 8192],
    ['1048576', 1_048_576],
    ['10b', 10],
    [4096, 4096],
  ])('reads %s as Compose does, in powers of 1024', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each(['', 'lots', '-1m', '5x', '1 2m', '0x10', 'm'])('refuses "%s"', (text) => {
    expect(parseSize(text)).toBeUndefined()
  })

  it('reads back what formatSize writes', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(formatSize(bytes)) === bytes))
  })
})
