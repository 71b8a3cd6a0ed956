import { pack } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { readTar } from '../../../src/debian/tar-reader.ts'
import { writeTar } from '../../../src/image/tar-writer.ts'
import type { Entry } from '../../../src/image/tree.ts'

const base = { mode: 0o644, uid: 0, gid: 0, mtime: 0 }
const tarOf = (...entries: Entry[]): Buffer => Buffer.concat(writeTar(entries))
const reading =
  (...entries: Entry[]) =>
  () =>
    readTar(tarOf(...entries))
const sumOf = (tar: Buffer): number =>
  tar.subarray(0, 512).reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)
const file = (path: string): Entry => ({ ...base, path, type: 'file', content: Buffer.from('x') })

describe('readTar refuses', () => {
  it('a path that leads out of the tree', () => {
    expect(reading(file('usr/../../etc/passwd'))).toThrow(
      'The package file is damaged: it holds the path usr/../../etc/passwd, which leads out of the tree.',
    )
  })

  it('an absolute path', () => {
    expect(reading(file('/etc/passwd'))).toThrow(
      'The package file is damaged: it holds the absolute path /etc/passwd.',
    )
  })

  it('a name that is not UTF-8, of which two could be one, and one that no host takes', () => {
    const latin = tarOf(file('a/grXX'))
    latin[4] = 0xfc
    latin.write(
      (Number.parseInt(latin.toString('latin1', 148, 154), 8) + 0xfc - 0x58).toString(8).padStart(6, '0'),
      148,
    )
    expect(() => readTar(latin)).toThrow(
      'The package file is damaged: it holds /a/gr\ufffdX, which has a name that is not UTF-8.',
    )
    const long = `a/${'n'.repeat(256)}`
    expect(reading(file(long))).toThrow(
      `The package file is damaged: it holds /${long}, which has a name of 256 bytes, and no host takes more than 255.`,
    )
  })

  it('a hard link to something outside', () => {
    expect(reading({ ...base, path: 'a', type: 'hardlink', target: '../outside' })).toThrow(
      'The package file is damaged: it holds the path ../outside, which leads out of the tree.',
    )
  })

  it('a symbolic link that climbs above the root, also behind an absolute start', () => {
    expect(reading({ ...base, path: 'usr/lib/a', type: 'symlink', target: '../../../etc/shadow' })).toThrow(
      'The package file is damaged: the link /usr/lib/a to ../../../etc/shadow leads out of the tree.',
    )
    expect(reading({ ...base, path: 'a', type: 'symlink', target: '/usr/../../x' })).toThrow(
      'The package file is damaged: the link /a to /usr/../../x leads out of the tree.',
    )
  })

  it('a sparse file, whichever way GNU tar writes it', () => {
    const told = /it holds a sparse file, which is not read here: pack it without --sparse \(-S\)/
    // A pax record that writeTar does write, under a sparse file's key of the same length.
    const record = tarOf({ ...file('a'), capability: Buffer.alloc(20) })
    record.write('GNU.sparse.major'.padEnd('SCHILY.xattr.security.capability'.length, '.'), 512 + 3)
    expect(() => readTar(record)).toThrow(told)
    const old = tarOf(file('a'))
    old.write('S', 156)
    old.write(sumOf(old).toString(8).padStart(6, '0'), 148)
    expect(() => readTar(old)).toThrow(told)
  })

  it('device nodes and pipes', () => {
    for (const type of ['character-device', 'block-device', 'fifo'] as const) {
      expect(reading({ ...base, path: 'dev/sda', type })).toThrow(
        'The package file is damaged: it holds a device node or pipe, /dev/sda, which a package may not.',
      )
    }
  })

  it('a header whose bits were flipped', () => {
    const tar = tarOf(file('a'))
    tar[0] = tar[0]! ^ 1
    expect(() => readTar(tar)).toThrow('The package file is damaged: a tar header has a wrong checksum.')
  })

  it.each(['-1536', 'abc', '1e3', '0x10', '', '9'.repeat(16)])(
    'a pax header with the size "%s", which would lead back or past the end',
    async (size) => {
      const tar = pack()
      tar.entry({ name: 'a', pax: { size } }, 'x')
      tar.entry({ name: 'b' }, 'x')
      tar.finalize()
      const chunks: Uint8Array[] = []
      for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk)
      expect(() => readTar(Buffer.concat(chunks))).toThrow(
        'The package file is damaged: it holds a broken pax header.',
      )
    },
  )

  it('a tar that ends early', () => {
    expect(() => readTar(tarOf(file('a')).subarray(0, 512 + 100))).toThrow(
      'The package file is damaged: its tar ends early.',
    )
    expect(() => readTar(tarOf(file('a')).subarray(0, 512))).toThrow(
      'The package file is damaged: its tar ends inside a file.',
    )
  })
})

describe('readTar accepts', () => {
  it('links that stay in the tree', () => {
    const links: Entry[] = [
      { ...base, path: 'bin', type: 'symlink', target: 'usr/bin' },
      { ...base, path: 'etc/alternatives/awk', type: 'symlink', target: '/usr/bin/mawk' },
      { ...base, path: 'usr/lib/x/y', type: 'symlink', target: '../../../etc/y' },
    ]
    expect(readTar(tarOf(...links))).toEqual(links)
  })

  it("GNU's long names", () => {
    const long = 'd/'.repeat(80) + 'f'.repeat(120)
    const name = tarOf({ ...base, path: '././@LongLink', type: 'file', content: Buffer.from(`${long}\0`) })
    name[156] = 'L'.charCodeAt(0)
    let sum = 8 * 0x20
    for (let index = 0; index < 512; index++) if (index < 148 || index >= 156) sum += name[index]!
    name.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const tar = Buffer.concat([name.subarray(0, 1024), tarOf(file('short'))])
    expect(readTar(tar).map((entry) => entry.path)).toEqual([long])
  })
})
