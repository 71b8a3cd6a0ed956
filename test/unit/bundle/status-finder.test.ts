import fc from 'fast-check'
import { expect, it } from 'vitest'
import { limits } from '../../../src/bundle/format.ts'
import { StatusFinder } from '../../../src/bundle/status-finder.ts'
import { fileHeader } from '../../../src/image/tar-writer.ts'
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

it('takes what follows the end of a tar for no tar, also where it is one with a package database of its own', async () => {
  const database = (content: string) => makeTar([{ path: 'var/lib/dpkg/status', content }])
  const finder = new StatusFinder()
  finder.take(Buffer.concat([await database('first'), await database('second')]))
  expect([finder.isTar, finder.isWhole, finder.status?.toString()]).toEqual([false, false, 'first'])
})

it('passes over a package database larger than any, and keeps nothing of it', () => {
  const header = fileHeader('var/lib/dpkg/status', limits.status + 1, 0)
  const finder = new StatusFinder()
  finder.take(header)
  const piece = new Uint8Array(1 << 20)
  for (let rest = limits.status + 512; rest > 0; rest -= piece.length) finder.take(piece.subarray(0, rest))
  finder.take(new Uint8Array(1024))
  expect([finder.isTar, finder.isWhole, finder.status?.length]).toEqual([true, true, undefined])
})

it('takes a link that says it has content for no tar: an Engine reads headers there', () => {
  const header = Buffer.from(fileHeader('link', 512, 0))
  header.write('2', 156)
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  header.write(sum.toString(8).padStart(6, '0'), 148)
  const finder = new StatusFinder()
  finder.take(header)
  expect(finder.isTar).toBe(false)
})
