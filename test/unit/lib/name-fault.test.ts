import { expect, it } from 'vitest'
import { nameFault } from '../../../src/lib/name-fault.ts'

it('a name is one that any host can unpack: UTF-8, and 255 bytes at the most', () => {
  expect(['a', 'ü'.repeat(127), 'ü'.repeat(128), 'gr\ufffd'].map(nameFault)).toEqual([
    undefined,
    undefined,
    'has a name of 256 bytes, and no host takes more than 255',
    'has a name that is not UTF-8',
  ])
})
