import { describe, expect, it } from 'vitest'
import type { LayerPackage } from '../../../src/image/layer-package.ts'
import { placePackages } from '../../../src/image/place-packages.ts'
import { caught } from '../../support/caught.ts'
import { tinyEntry, tinyTree } from '../../support/tiny-tree.ts'

function tinyLayerPackage(name: string, replaces = ''): LayerPackage {
  const control = `Package: ${name}\nVersion: 1.0\n${replaces && `Replaces: ${replaces}\n`}`
  return {
    locked: { name, version: '1.0' },
    control: new Map([['control', new TextEncoder().encode(control)]]),
    entries: [tinyEntry('bin/tool', `of ${name}`)],
  } as unknown as LayerPackage
}

/** A layer below in which the package old has /usr/bin/tool. */
const below = (replaces = '') => ({
  bin: '-> usr/bin',
  usr: '/',
  'usr/bin': '/',
  'usr/bin/tool': 'of old',
  'var/lib/dpkg/info/old.list': '/.\n/usr/bin/tool\n',
  'var/lib/dpkg/status': `Package: old\nStatus: install ok installed\n${replaces}\nPackage: other\n`,
})
const placed = (replaces: string, statusOfOld = '') => {
  const tree = tinyTree({}, below(statusOfOld))
  placePackages(tree, [tinyLayerPackage('new', replaces)])
  return tree.readText('usr/bin/tool')
}

describe('a file that a package of a layer below has too', () => {
  it('is refused as dpkg refuses it', () => {
    expect(caught(() => placed(''))).toMatchObject({
      code: 'file-clash',
      exitCode: 2,
      message:
        '/usr/bin/tool is in old and in new 1.0, and neither replaces the other; drop one of them, or omit the path with a rule in appliance.yaml.',
    })
  })

  it('is the newer one where that says Replaces, and stays where the one below says it', () => {
    expect([placed('old (<< 2)'), placed('', 'Replaces: new\n')]).toEqual(['of new', 'of old'])
  })
})
