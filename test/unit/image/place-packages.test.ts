import { describe, expect, it } from 'vitest'
import type { LayerPackage } from '../../../src/image/layer-package.ts'
import { dropReplaced, noOwners, placePackages } from '../../../src/image/place-packages.ts'
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
  'var/lib/dpkg/status': `Package: old\nStatus: install ok installed\nVersion: 1.0\n${replaces}\nPackage: other\n`,
})
const placed = (replaces: string, statusOfOld = '') => {
  const tree = tinyTree({}, below(statusOfOld))
  const owners = noOwners()
  placePackages(tree, [tinyLayerPackage('new', replaces)], owners)
  dropReplaced(tree, owners)
  return { tool: tree.readText('usr/bin/tool'), listOfOld: tree.readText('var/lib/dpkg/info/old.list') }
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
    expect([placed('old (<< 2)').tool, placed('', 'Replaces: new\n').tool]).toEqual(['of new', 'of old'])
  })

  it('is refused where Replaces speaks of another version', () => {
    expect(caught(() => placed('old (<< 1.0)'))).toMatchObject({ code: 'file-clash' })
  })

  it('leaves the list of the package below only when its file does, as with dpkg', () => {
    expect(placed('old').listOfOld).toBe('/.\n')
    expect(placed('', 'Replaces: new\n').listOfOld).toBe('/.\n/usr/bin/tool\n')
  })
})

describe('a file that two packages of a layer have', () => {
  it.each([
    ['the first', 'new', ''],
    ['the second', '', 'old'],
  ])('is on the list of the one that replaces the other: %s', (_, replacesOfOld, replacesOfNew) => {
    const list = '/.\n/bin/tool\n'
    const tree = tinyTree({ 'var/lib/dpkg/info/old.list': list, 'var/lib/dpkg/info/new:amd64.list': list })
    const owners = noOwners()
    placePackages(
      tree,
      [tinyLayerPackage('old', replacesOfOld), tinyLayerPackage('new', replacesOfNew)],
      owners,
    )
    dropReplaced(tree, owners)
    const names = ['old', 'new:amd64'].filter((name) =>
      tree.readText(`var/lib/dpkg/info/${name}.list`).includes('tool'),
    )
    expect([tree.readText('bin/tool'), names]).toEqual(
      replacesOfOld ? ['of old', ['old']] : ['of new', ['new:amd64']],
    )
  })
})
