import { describe, expect, it } from 'vitest'
import { FileTree } from '../../../src/image/file-tree.ts'
import type { Entry } from '../../../src/image/tree.ts'

const base = { mode: 0o644, uid: 0, gid: 0, mtime: 5 }
const file = (path: string, content = ''): Entry => ({
  ...base,
  path,
  type: 'file',
  content: Buffer.from(content),
})
const link = (path: string, target: string): Entry => ({ ...base, path, type: 'symlink', target })
const directory = (path: string, mode = 0o755): Entry => ({ ...base, path, type: 'directory', mode })

describe('FileTree', () => {
  it('writes through links among the parents, never through the last part', () => {
    const tree = new FileTree([], 9)
    tree.put(link('bin', 'usr/bin'))
    tree.put(file('bin/sh'))
    tree.put(link('bin/sh', 'dash'))
    expect([...tree.own.keys()]).toEqual(['bin', 'usr', 'usr/bin', 'usr/bin/sh'])
    expect(tree.get('bin/sh')).toEqual({ ...link('usr/bin/sh', 'dash') })
  })

  it('takes an absolute link among the parents from the root, however deep it stands', () => {
    const tree = new FileTree([], 9)
    tree.put(link('var/run', '/run'))
    tree.put(file('var/run/lock/pid', '7'))
    expect([...tree.own.keys()]).toEqual(['var', 'var/run', 'run', 'run/lock', 'run/lock/pid'])
    expect(tree.readText('var/run/lock/pid')).toBe('7')
  })

  it('gives missing parents to root, dated as the layer', () => {
    const tree = new FileTree([], 9)
    tree.put(file('opt/a/b'))
    expect(tree.get('opt/a')).toEqual({
      path: 'opt/a',
      type: 'directory',
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtime: 9,
    })
  })

  it('keeps a directory in the layer below unless its mode or owner changes', () => {
    const lower = new Map([['var', directory('var')]])
    const tree = new FileTree([lower], 9)
    tree.put({ ...directory('var'), mtime: 7 })
    expect(tree.own.size).toBe(0)
    tree.put(directory('var', 0o700))
    expect([...tree.own.values()]).toEqual([directory('var', 0o700)])
  })

  it('reads through links, hard and symbolic, of lower layers too', () => {
    const lower = new Map([
      ['usr/bin', directory('usr/bin')],
      ['usr/bin/mawk', file('usr/bin/mawk', 'awk!')],
      ['etc/alternatives/awk', link('etc/alternatives/awk', '/usr/bin/mawk')],
      ['usr/bin/awk', link('usr/bin/awk', '../../etc/alternatives/awk')],
    ])
    const tree = new FileTree([lower], 9)
    tree.put({ ...base, path: 'usr/bin/again', type: 'hardlink', target: 'usr/bin/mawk' })
    expect([tree.readText('usr/bin/awk'), tree.readText('usr/bin/again')]).toEqual(['awk!', 'awk!'])
  })

  it('leaves the other names of a hard link what they were when one is replaced or removed', () => {
    const hard = (path: string, target: string): Entry => ({ ...base, path, type: 'hardlink', target })
    for (const change of [
      (tree: FileTree) => tree.put(file('a', 'new')),
      (tree: FileTree) => tree.put(link('a', 'elsewhere')),
      (tree: FileTree) => tree.remove('a'),
    ]) {
      const tree = new FileTree([], 9)
      for (const entry of [file('a', 'old'), hard('b', 'a'), hard('c', 'a')]) tree.put(entry)
      change(tree)
      expect(tree.get('b')).toEqual(file('b', 'old'))
      expect(tree.get('c')).toEqual(hard('c', 'b'))
      tree.put(file('b', 'new'))
      expect(tree.get('c')).toEqual(file('c', 'old'))
    }
  })

  it('puts a file over one of a layer below without a look at what that holds', () => {
    const below: Entry = {
      ...directory('usr/big'),
      type: 'file',
      get content(): Uint8Array {
        throw new Error('unpacked')
      },
    }
    const tree = new FileTree([new Map([['usr/big', below]])], 9)
    tree.put(file('usr/big', 'new'))
    expect(tree.readText('usr/big')).toBe('new')
  })

  it('lists the names of a directory over all layers, in byte order', () => {
    const tree = new FileTree([new Map([['etc/b', file('etc/b')]])], 9)
    tree.put(file('etc/a'))
    tree.put(file('etc/Z'))
    expect(tree.list('etc')).toEqual(['Z', 'a', 'b'])
  })

  it('tells links that go in a circle', () => {
    const tree = new FileTree([], 9)
    tree.put(link('a', 'b'))
    tree.put(link('b', 'a'))
    expect(() => tree.resolve('a/x')).toThrow('The links on the way to /a/x go in a circle.')
  })

  it('puts no file where a folder with files is, or a link to one, and nothing below a file', () => {
    const lower = new Map(
      [
        link('bin', 'usr/bin'),
        directory('usr'),
        directory('usr/bin'),
        file('usr/bin/sh'),
        directory('run'),
        file('etc/passwd'),
      ].map((entry) => [entry.path, entry]),
    )
    const put = (entry: Entry) => () => new FileTree([lower], 9).put(entry)
    expect(put(file('usr'))).toThrow(
      '/usr is a folder of the image with files in it, and a file cannot take its place.',
    )
    expect(put(file('bin'))).toThrow(
      '/bin is a link to the folder usr/bin, and a file cannot take its place.',
    )
    expect(put(file('etc/passwd/x'))).toThrow(
      '/etc/passwd/x cannot be there: /etc/passwd is a file of the image.',
    )
    expect(put(directory('etc/passwd'))).toThrow(
      '/etc/passwd is a file of the image, and a folder cannot take its place.',
    )
    expect([put(link('bin', 'usr/sbin')), put(link('run', 'var/run'))].map((fits) => fits().type)).toEqual([
      'symlink',
      'symlink',
    ])
  })
})
