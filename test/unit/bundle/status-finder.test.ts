import fc from 'fast-check'
import { expect, it } from 'vitest'
import { StatusFinder } from '../../../src/bundle/status-finder.ts'
import { makeTar } from '../../support/tiny-tar.ts'

it('finds the package database of a tar, and its end, wherever the chunks are cut', async () => {
  const content = `Package: libc6\nVersion: 2.41-12\n${'#'.repeat(700)}`
  const tar = await makeTar([
    { path: 'usr/share/doc/readme', content: 'x'.repeat(1300) },
    { path: './var/lib/dpkg/status', content },
    { path: 'var/lib/dpkg/status-old', content: 'another' },
    { path: `${'long/'.repeat(60)}name`, content: 'with a pax header' },
  ])
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(tar.length)), (cuts) => {
      const finder = new StatusFinder()
      const ends = [...cuts.toSorted((a, b) => a - b), tar.length]
      for (const [index, end] of ends.entries()) finder.take(tar.subarray(ends[index - 1] ?? 0, end))
      expect([Buffer.from(finder.status!).toString(), finder.isTar, finder.isWhole]).toEqual([
        content,
        true,
        true,
      ])
    }),
  )
})
