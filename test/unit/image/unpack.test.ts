import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startWorkers } from '../../../src/image/workers.ts'
import { testFolder } from '../../support/test-folder.ts'
import { makeDeb, packDeb } from '../../support/tiny-deb.ts'
import { makeTar } from '../../support/tiny-tar.ts'

const omit = [{ path: '/usr/share/doc/*/**', except: ['/usr/share/doc/*/copyright'], reason: 'r' }]

describe('a worker unpacking a .deb', () => {
  const workers = startWorkers()
  afterAll(() => workers.close())

  const unpack = async (bytes: Buffer, sha256 = createHash('sha256').update(bytes).digest('hex')) => {
    const folder = await testFolder('unpack')
    const file = path.join(folder, 'tiny.deb')
    await writeFile(file, bytes)
    return workers.unpack({ file, sha256, omit })
  }
  const tiny = {
    name: 'tiny',
    version: '1.0',
    files: [
      { path: 'usr/bin', type: 'directory' as const },
      { path: 'usr/bin/tiny', content: '#!/bin/sh\n', mode: 0o755, mtime: 1_700_000_000 },
      { path: 'usr/share/doc/tiny/changelog.gz', content: 'long' },
      { path: 'usr/share/doc/tiny/copyright', content: 'free', mtime: 1_700_000_001 },
    ],
  }

  it('gives entries, control files and what the rules left out', async () => {
    for (const compression of ['xz', 'gz', 'none'] as const) {
      const unpacked = await unpack(await makeDeb({ ...tiny, compression }))
      expect({
        ...unpacked,
        control: [...unpacked.control.keys()],
        entries: unpacked.entries.map(({ path, content }) => [
          path,
          content && Buffer.from(content).toString(),
        ]),
      }).toEqual({
        control: ['control', 'md5sums'],
        entries: [
          ['usr/bin', undefined],
          ['usr/bin/tiny', '#!/bin/sh\n'],
          ['usr/share/doc/tiny/copyright', 'free'],
        ],
        omitted: ['usr/share/doc/tiny/changelog.gz'],
        newest: 1_767_225_600,
      })
    }
  })

  it('keeps the content of a file that is left out under another name of it that stays', async () => {
    const doc = 'usr/share/doc/tiny/list'
    const files = [
      { path: doc, content: 'data', mode: 0o600 },
      { path: 'usr/lib/a', type: 'link' as const, target: `./${doc}` },
      { path: 'usr/lib/b', type: 'link' as const, target: `./${doc}` },
    ]
    const { entries, omitted } = await unpack(await makeDeb({ ...tiny, files }))
    expect(omitted).toEqual([doc])
    expect(entries).toMatchObject([
      { path: 'usr/lib/a', type: 'file', mode: 0o600 },
      { path: 'usr/lib/b', type: 'hardlink', target: 'usr/lib/a' },
    ])
    expect(Buffer.from(entries[0]!.content!).toString()).toBe('data')
  })

  it('puts contents in shared memory, so that no message copies them', async () => {
    const { entries } = await unpack(await makeDeb(tiny))
    expect(entries[1]!.content!.buffer).toBeInstanceOf(SharedArrayBuffer)
  })

  it('refuses a file that is not the locked one', async () => {
    const deb = await makeDeb(tiny)
    const hash = createHash('sha256').update(deb).digest('hex')
    await expect(unpack(deb, 'f'.repeat(64))).rejects.toThrow(
      `tiny.deb is not the locked package: its SHA-256 is ${hash}.`,
    )
  })

  it('refuses a truncated or bit-flipped package, even with the hash of its own bytes', async () => {
    const deb = await makeDeb(tiny)
    await expect(unpack(deb.subarray(0, deb.length - 70))).rejects.toThrow(
      'The package file is damaged: it ends inside a member.',
    )
    await expect(unpack(Buffer.from('MZ this is no package'))).rejects.toThrow(
      'The package file is damaged: it does not begin like an ar archive.',
    )
    const flipped = Buffer.from(deb)
    flipped[deb.indexOf('data.tar.xz') + 60 + 40]! ^= 0xff
    await expect(unpack(flipped)).rejects.toThrow('The package file is damaged: its xz data cannot be read')
  })

  it('refuses xz data that ends early', async () => {
    const whole = packDeb(await makeTar([{ path: './control', content: 'Package: x\n' }]), Buffer.alloc(0))
    await expect(unpack(whole)).rejects.toThrow('The package file is damaged: its tar ends early.')
  })

  it('refuses names that lead out of the tree', async () => {
    const deb = await makeDeb({ ...tiny, files: [{ path: '../evil', content: 'x' }] })
    await expect(unpack(deb)).rejects.toThrow(
      'The package file is damaged: it holds the path ../evil, which leads out of the tree.',
    )
  })
})
