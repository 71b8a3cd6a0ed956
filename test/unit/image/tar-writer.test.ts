import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTar } from '../../../src/debian/tar-reader.ts'
import { orderEntries, writeTar } from '../../../src/image/tar-writer.ts'
import type { Entry } from '../../../src/image/tree.ts'

const base = { mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000 }
const file = (path: string, content = ''): Entry => ({
  ...base,
  path,
  type: 'file',
  content: Buffer.from(content),
})
const directory = (path: string): Entry => ({ ...base, path, type: 'directory', mode: 0o755 })

describe('writeTar', () => {
  it('gives the same bytes whatever the order of the entries', () => {
    const entries = [directory('etc'), file('etc/b', 'b'), file('etc/a', 'a'), directory('a')]
    const expected = Buffer.concat(writeTar(entries))
    expect(Buffer.concat(writeTar([...entries].reverse()))).toEqual(expected)
    expect(createHash('sha256').update(expected).digest('hex')).toBe(
      'fe07792c23cff8d163d8b630f91ff979810b0fd48e7f05f86a5d7f459ae5c6a8',
    )
  })

  it('puts parents first and orders by bytes, not by locale', () => {
    const paths = orderEntries([file('b'), file('a/Z'), file('a/é'), file('a/a'), directory('a'), file('B')])
    expect(paths.map((entry) => entry.path)).toEqual(['B', 'a', 'a/Z', 'a/a', 'a/é', 'b'])
  })

  it('puts a hard link behind its target, whatever their names', () => {
    const link: Entry = { ...base, path: 'usr/bin/a', type: 'hardlink', target: 'usr/bin/z' }
    expect(orderEntries([link, file('usr/bin/z')]).map((entry) => entry.path)).toEqual([
      'usr/bin/z',
      'usr/bin/a',
    ])
  })

  it('writes a pax header only for what ustar cannot hold', () => {
    const types = (entry: Entry) => {
      const tar = Buffer.concat(writeTar([entry]))
      return tar.toString('latin1', 156, 157)
    }
    expect(types(file('short'))).toBe('0')
    expect(types(file(`${'d'.repeat(150)}/${'f'.repeat(100)}`))).toBe('0')
    expect(types(file(`${'d'.repeat(156)}/f`))).toBe('x')
    expect(types(file('f'.repeat(101)))).toBe('x')
    expect(types({ ...base, path: 'l', type: 'symlink', target: 't'.repeat(101) })).toBe('x')
    expect(types({ ...file('ping'), capability: Buffer.from([1, 0, 0, 2]) })).toBe('x')
  })

  it('is read back as it was written', () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9+._é-]{1,60}$/).filter((text) => text !== '.' && text !== '..')
    const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'))
    const entry = fc.record({
      path,
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.integer({ min: 0, max: 0o7777777 }),
      gid: fc.integer({ min: 0, max: 0o7777777 }),
      mtime: fc.integer({ min: 0, max: 2 ** 32 }),
      content: fc.uint8Array({ maxLength: 2000 }),
    })
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: (one) => one.path, maxLength: 12 }), (files) => {
        const entries: Entry[] = files.map((one) => ({ ...one, type: 'file' }))
        const read = readTar(Buffer.concat(writeTar(entries))).map((one) => ({
          ...one,
          content: Uint8Array.from(one.content!),
        }))
        expect(read).toEqual(orderEntries(entries))
      }),
      { numRuns: 60 },
    )
  })

  it('is read back where the length of a pax record takes a digit more by itself', () => {
    const folders = `${'d'.repeat(99)}/`.repeat(9)
    const paths = Array.from({ length: 20 }, (_, more) => `${folders}${'f'.repeat(80 + more)}`)
    const read = readTar(Buffer.concat(writeTar(paths.map((path) => file(path)))))
    expect(read.map(({ path }) => path)).toEqual(paths)
  })

  it('refuses a number whose field has no room for the zero behind it', () => {
    const owned = (uid: number) => () => writeTar([{ ...file('a'), uid }])
    expect(owned(0o7777777)).not.toThrow()
    expect(owned(0o10000000)).toThrow('A tar header cannot hold the number 2097152 in 8 bytes.')
  })

  it('keeps a capability through writing and reading', () => {
    const capability = Buffer.from([1, 0, 0, 2, 0, 32, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0])
    const [read] = readTar(Buffer.concat(writeTar([{ ...file('usr/bin/ping', 'x'), capability }])))
    expect(read).toEqual({
      ...base,
      path: 'usr/bin/ping',
      type: 'file',
      content: Buffer.from('x'),
      capability,
    })
  })
})
