import { expect, it } from 'vitest'
import type { TarEntry } from '../../../src/debian/tar-reader.ts'
import { diffImages } from '../../../src/image/diff.ts'
import type { OpenedImage } from '../../../src/image/image-files.ts'

const entry = (path: string, text: string, facts: Partial<TarEntry> = {}): [string, TarEntry] => [
  path,
  { path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, content: Buffer.from(text), ...facts },
]
const image = (status: string, labels: Record<string, string>, ...files: [string, TarEntry][]): OpenedImage =>
  ({
    config: { os: 'linux', config: { Env: ['A=1'], Labels: labels }, rootfs: { diff_ids: [status] } },
    files: new Map([entry('var/lib/dpkg/status', status), ...files]),
  }) as unknown as OpenedImage

it('two images differ in packages, files with what differs of them, and configuration; times do not count', () => {
  const a = image(
    'Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n',
    { version: '1', old: 'x' },
    entry('etc/same', 'same'),
    entry('etc/mode', 'x'),
    entry('etc/gone', 'x'),
  )
  const b = image(
    'Package: a\nVersion: 2\n\nPackage: c\nVersion: 1\n',
    { version: '2' },
    entry('etc/same', 'same', { mtime: 99 }),
    entry('etc/mode', 'xyz', { mode: 0o600, uid: 5 }),
    entry('etc/new', 'new'),
  )
  const facts = (size: number, mode = '0644', owner = '0:0') => ({ type: 'file', mode, owner, size })
  expect(diffImages(a, b)).toEqual({
    packages: [
      { name: 'a', from: '1', to: '2' },
      { name: 'b', from: '1' },
      { name: 'c', to: '1' },
    ],
    files: [
      { name: '/etc/gone', differs: [], from: facts(1) },
      {
        name: '/etc/mode',
        differs: ['mode', 'owner', 'content'],
        from: facts(1),
        to: facts(3, '0600', '5:0'),
      },
      { name: '/etc/new', differs: [], to: facts(3) },
      { name: '/var/lib/dpkg/status', differs: ['content'], from: facts(45), to: facts(45) },
    ],
    config: [
      { name: 'config/Labels/old', from: 'x' },
      { name: 'config/Labels/version', from: '1', to: '2' },
    ],
  })
})
