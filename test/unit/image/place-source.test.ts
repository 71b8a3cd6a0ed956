import { expect, it } from 'vitest'
import type { SourceEntry, TreeRule } from '../../../src/definition/sources/source.ts'
import { placeSource } from '../../../src/image/place-source.ts'
import { caught } from '../../support/caught.ts'
import { describeLayer, tinyTree } from '../../support/tiny-tree.ts'

const accounts = {
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  'etc/group': 'root:x:0:\n',
}
const rule = (glob: string): TreeRule => ({
  kind: 'tarball',
  path: 'images/acme/acme.tar.gz',
  target: '/opt/acme',
  strip: 0,
  owner: 'root',
  group: 'root',
  modes: [{ glob, mode: 0o750 }],
})
const entries: SourceEntry[] = [{ path: 'bin/run', type: 'file', mode: 0o644, content: Buffer.from('x') }]

it('a mode is given to what its glob fits, and a glob that fits nothing is refused', () => {
  const tree = tinyTree({}, accounts)
  placeSource(tree, rule('bin/*'), entries)
  expect(describeLayer(tree).at(-1)).toBe('opt/acme/bin/run 750 0:0 "x"')
  expect(caught(() => placeSource(tinyTree({}, accounts), rule('bni/*'), entries))).toMatchObject({
    exitCode: 2,
    message: 'modes of images/acme/acme.tar.gz names bni/*, which fits no path in it.',
  })
})
