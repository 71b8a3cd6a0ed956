import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { TreeRule } from '../../../../src/definition/sources/source.ts'
import { sourceMode } from '../../../../src/definition/sources/source-mode.ts'
import { readTarball } from '../../../../src/definition/sources/tarball.ts'
import { caught } from '../../../support/caught.ts'
import { makeTar, type TinyFile } from '../../../support/tiny-tar.ts'
import { storeXz } from '../../../support/tiny-xz.ts'

const rule: TreeRule = {
  kind: 'tarball',
  path: 'images/acme/acme.tar.gz',
  target: '/opt/acme',
  strip: 0,
  owner: 'root',
  group: 'root',
  modes: [],
}
const read = async (files: readonly TinyFile[], extra: Partial<TreeRule> = {}) =>
  (await readTarball(gzipSync(await makeTar(files)), { ...rule, ...extra })).map(({ content, ...entry }) => ({
    ...entry,
    ...(content && { text: Buffer.from(content).toString() }),
  }))

/** One raw block (RFC 8878, 3.1.1). */
function storeZst(data: Buffer): Buffer {
  const head = Buffer.from('28b52ffda0000000000000', 'hex')
  head.writeUInt32LE(data.length, 5)
  const block = Buffer.alloc(3)
  block.writeUIntLE((data.length << 3) | 1, 0, 3)
  return Buffer.concat([head.subarray(0, 9), block, data])
}

describe('readTarball', () => {
  const files: TinyFile[] = [
    { path: 'acme-1.2/', type: 'directory' },
    { path: 'acme-1.2/bin/agent', content: 'run', mode: 0o755 },
    { path: 'acme-1.2/bin/again', type: 'link', target: 'acme-1.2/bin/agent' },
    { path: 'acme-1.2/current', type: 'symlink', target: 'bin/agent' },
    { path: 'README', content: 'beside' },
  ]

  it('strips leading folders, and leaves out what lies less deep', async () => {
    expect(await read(files, { strip: 1 })).toEqual([
      { path: 'bin/agent', type: 'file', mode: 0o755, text: 'run' },
      { path: 'bin/again', type: 'hardlink', mode: 0o644, target: 'bin/agent' },
      { path: 'current', type: 'symlink', mode: 0o777, target: 'bin/agent' },
    ])
  })

  it('reads plain, gzip, xz and zst archives alike', async () => {
    const tar = await makeTar([{ path: 'a', content: 'x' }])
    for (const bytes of [tar, gzipSync(tar), storeXz(tar), storeZst(tar)]) {
      expect((await readTarball(bytes, rule)).map(({ path }) => path)).toEqual(['a'])
    }
  })

  const hostile: [string, readonly TinyFile[], Partial<TreeRule>, string][] = [
    [
      'an absolute path',
      [{ path: '/etc/passwd', content: '' }],
      {},
      'cannot be taken: it holds the absolute path /etc/passwd',
    ],
    [
      'a path out of it',
      [{ path: 'a/../../etc/passwd', content: '' }],
      {},
      'cannot be taken: it holds the path a/../../etc/passwd, which leads out of the tree',
    ],
    [
      'an absolute link',
      [{ path: 'a', type: 'symlink', target: '/etc' }],
      {},
      'has the link a to the absolute path /etc, which is for component.yaml to say under links',
    ],
    [
      'a link that climbs out',
      [{ path: 'a/b', type: 'symlink', target: '../../etc' }],
      {},
      'cannot be taken: the link /a/b to ../../etc leads out of the tree',
    ],
    [
      'a link that climbs out once folders are stripped',
      [{ path: 'a/b', type: 'symlink', target: '../c' }],
      { strip: 1 },
      'has the link b to ../c, which leads out of the archive',
    ],
    [
      'a path through a link',
      [
        { path: 'a', type: 'symlink', target: 'b' },
        { path: 'a/x', content: '' },
      ],
      {},
      'has a/x below a, which is a symlink (file refused)',
    ],
    [
      'a hard link to nothing',
      [{ path: 'a', type: 'link', target: 'b' }],
      {},
      'has the hard link a to b, which is no file before it',
    ],
    [
      'a device',
      [{ path: 'a', type: 'character-device' }],
      {},
      'cannot be taken: it holds a device node or pipe, /a, which a package may not',
    ],
    ['nothing', [{ path: 'a', content: '' }], { strip: 2 }, 'holds nothing below 2 leading folders'],
  ]
  it.each(hostile)('refuses %s', async (_, entries, extra, sentence) => {
    const error = await read(entries, extra).then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect(error).toMatchObject({
      code: 'bad-source',
      message: `images/acme/acme.tar.gz ${sentence}; put a right archive in its place.`,
    })
  })

  it('refuses what is no archive, and one that ends early', async () => {
    await expect(readTarball(Buffer.from('BZh9'), rule)).rejects.toThrow(
      'images/acme/acme.tar.gz is no tar archive, plain or compressed with gzip, xz or zstd; put a right archive in its place.',
    )
    const cut = gzipSync((await makeTar([{ path: 'a', content: 'x'.repeat(9000) }])).subarray(0, 2000))
    await expect(readTarball(cut, rule)).rejects.toThrow(
      'cannot be taken: its tar ends inside a file; put a right archive in its place.',
    )
  })
})

describe('sourceMode', () => {
  const entry = { path: 'bin/agent', type: 'file', mode: 0o4755 } as const

  it('is the last matching rule’s, else the source’s own', () => {
    const modes = [
      { glob: 'bin/*', mode: 0o700 },
      { glob: '**', mode: 0o710 },
    ]
    expect(sourceMode({ ...rule, modes }, entry)).toBe(0o710)
    expect(sourceMode(rule, { ...entry, mode: 0o640 })).toBe(0o640)
  })

  it('refuses set-id bits that no rule names', () => {
    expect(caught(() => sourceMode(rule, entry)).message).toBe(
      'images/acme/acme.tar.gz has bin/agent with a set-user-ID or set-group-ID bit; say under modes which mode it is to have.',
    )
  })
})
