import { describe, expect, it } from 'vitest'
import type { Definition } from '../../../src/definition/definition.ts'
import { resolveLock } from '../../../src/lock/resolve-lock.ts'
import { refuseStale, staleReasons } from '../../../src/lock/stale.ts'
import { tinyArchiveView, tinyDefinition } from '../../support/tiny-definition.ts'

const lines = `
  a 1; Depends: b, c
  b 2; Essential: yes
  c 3
  d 4`
const archive = tinyArchiveView({ trixie: { amd64: lines } })
const components = [
  { name: 'base', essential: true },
  { name: 'dns', packages: ['a', 'd'] },
]
const definition = tinyDefinition(components, { exclude: { c: 'not used' } })
const lock = resolveLock(definition, archive)

describe('a lock is stale', () => {
  it.each<[string, Definition, string[]]>([
    [
      'for a new platform',
      { ...definition, platforms: ['linux/amd64', 'linux/arm64'] },
      ['it has nothing for linux/arm64'],
    ],
    ['for a platform given up', { ...definition, platforms: [] }, ['linux/amd64 is no longer asked for']],
    [
      'for another suite',
      { ...definition, debian: { ...definition.debian, suite: 'forky', security: false } },
      ['it was made from trixie, trixie-security, and the definition reads forky'],
    ],
    [
      'for packages asked for or no longer',
      tinyDefinition([components[0]!, { name: 'dns', packages: ['a', 'e'] }], { exclude: { c: 'not used' } }),
      ['dns asks for e, which is not locked for it', 'dns no longer asks for d'],
    ],
    [
      'for a pin that it does not fit',
      { ...definition, pins: { d: '5.*' } },
      ['d is locked at 4, and pinned to 5.*'],
    ],
    [
      'for a pin that moves a package',
      { ...definition, pins: { d: '4' } },
      ['d is pinned, and not in the layer libraries'],
    ],
    [
      'for other exclusions',
      { ...definition, exclude: { b: 'not needed' } },
      ['b is locked, and excluded', 'c is no longer excluded'],
    ],
    [
      'for another reason',
      { ...definition, exclude: { c: 'too big' } },
      ['the reason for excluding c has changed'],
    ],
    [
      'for a layer that is gone',
      { ...definition, layers: ['base', 'brand'] },
      ['the layer dns, which holds a, is gone', 'the layer dns, which holds d, is gone'],
    ],
    [
      'for what no package shows',
      { ...definition, exclude: { c: 'not used', z: 'never' } },
      ['what the definition says about packages and layers has changed'],
    ],
  ])('%s', (_, changed, reasons) => {
    expect(staleReasons(changed, lock)).toEqual(reasons)
  })

  it('not for a mirror, a version, a brand, nor for the order of names', () => {
    const same: Definition = {
      ...definition,
      version: '2.0.0',
      brand: { ...definition.brand, vendor: 'Other' },
      debian: { ...definition.debian, mirror: 'http://mirror.example/debian' },
      components: definition.components
        .map((one) => ({ ...one, packages: one.packages.toReversed() }))
        .toReversed(),
    }
    expect(staleReasons(same, lock)).toEqual([])
  })

  it('and refused, with three reasons at most', () => {
    const changed = { ...definition, layers: ['base', 'brand'], exclude: {}, platforms: [] }
    expect(() => refuseStale(changed, lock)).toThrow(
      'appliance.lock does not fit the definition: linux/amd64 is no longer asked for; the layer dns, which holds a, is gone; the layer dns, which holds d, is gone; and 1 more. Bring it up to date: slipway lock',
    )
    expect(() => refuseStale(definition, lock)).not.toThrow()
  })
})
