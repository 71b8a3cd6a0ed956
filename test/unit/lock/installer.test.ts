import { describe, expect, it } from 'vitest'
import { allPackages, sharedLayers } from '../../../src/lock/installer.ts'
import type { Lockfile } from '../../../src/lock/lockfile.ts'
import { parseLock } from '../../../src/lock/read-lock.ts'
import { resolveLock } from '../../../src/lock/resolve-lock.ts'
import { formatLock } from '../../../src/lock/write-lock.ts'
import { tinyArchiveView, tinyDefinition } from '../../support/tiny-definition.ts'

const lines = (node: string): string => `
  libc6 2.41
  bash 5.2; Essential: yes; Pre-Depends: libc6, passwd
  passwd 4.17
  libssl3 3.5.1; Depends: libc6
  libicu76 76.1
  squid 6.13; Depends: libssl3, libicu76
  libuv1 1.50
  nodejs ${node}; Depends: libssl3, libicu76, libuv1, libc6`
const definition = tinyDefinition(
  [
    { name: 'base', essential: true },
    { name: 'libraries', packages: ['libssl3'] },
    { name: 'optimiser', packages: ['squid'] },
    { name: 'brand' },
  ],
  { exclude: { passwd: 'Nobody logs in.' } },
)
const archive = (node: string) => tinyArchiveView({ trixie: { amd64: lines(node) } })
const installer = ({ installer }: Lockfile): string[] | undefined =>
  installer?.['linux/amd64']?.map(({ name, version, layer }) => `${layer}: ${name} ${version}`)

describe('the installer in the lock', () => {
  const lock = resolveLock(definition, archive('20.19.2'))

  it('holds Node and what it needs beside the layers shared with the appliance', () => {
    expect(installer(lock)).toEqual([
      'installer-node: libicu76 76.1',
      'installer-node: libuv1 1.50',
      'installer-node: nodejs 20.19.2',
    ])
  })

  it('is written and read with the rest, and left out where there is none', () => {
    expect(parseLock(formatLock(lock), 'appliance.lock')).toEqual(lock)
    const none = resolveLock(definition, tinyArchiveView({ trixie: { amd64: lines('18.20.1') } }))
    expect(none.installer).toBeUndefined()
    expect(formatLock(none)).not.toContain('installer')
  })

  it('moves with --update only', () => {
    const both = `${lines('20.19.2')}\n  nodejs 20.20.0; Depends: libssl3, libicu76, libuv1, libc6`
    const newer = tinyArchiveView({ trixie: { amd64: both } })
    expect(resolveLock(definition, newer, { previous: lock })).toBe(lock)
    const moved = resolveLock(definition, newer, { previous: lock, update: ['nodejs'] })
    expect(installer(moved)).toContain('installer-node: nodejs 20.20.0')
    expect(moved.platforms).toEqual(lock.platforms)
  })

  it('a library of a higher layer of the appliance has the same version in both', () => {
    const both = tinyArchiveView({ trixie: { amd64: `${lines('20.19.2')}\n  libicu76 77` } })
    const moved = resolveLock(definition, both, { previous: { ...lock, installer: {} } })
    expect(installer(moved)).toContain('installer-node: libicu76 76.1')
  })

  it('is among all that a build needs, each name once', () => {
    const names = allPackages(lock, 'linux/amd64').map(({ name }) => name)
    expect(names.toSorted()).toEqual(
      ['bash', 'libc6', 'libicu76', 'libssl3', 'libuv1', 'nodejs', 'squid'].toSorted(),
    )
  })

  it('is refused where it needs what neither it nor the appliance has', () => {
    const broken = formatLock(lock).replace(
      '"needs": [\n          "libc6",\n          "libicu76",\n          "libssl3",',
      '"needs": [\n          "libc7",\n          "libicu76",\n          "libssl3",',
    )
    expect(() => parseLock(broken, 'appliance.lock')).toThrow(
      'appliance.lock was changed by hand or damaged: in the installer of linux/amd64, nodejs needs libc7, which is not locked (libc6?). Put the committed one back, or delete it and run: slipway lock',
    )
  })
})

describe('what the installer shares', () => {
  it('is all up to the libraries, else the lowest layer', () => {
    expect(sharedLayers(['base', 'libraries', 'dns', 'brand'])).toEqual(['base', 'libraries'])
    expect(sharedLayers(['base', 'dns', 'brand'])).toEqual(['base'])
  })
})
