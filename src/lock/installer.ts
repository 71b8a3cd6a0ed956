import type { PackageIndex } from '../debian/package-index.ts'
import { resolve } from '../debian/resolver.ts'
import { compareVersions } from '../debian/version.ts'
import type { Definition } from '../definition/definition.ts'
import type { Platform } from '../lib/platform.ts'
import { pinnedLayer } from './assign-layers.ts'
import { lockPackage } from './lock-package.ts'
import type { LockedPackage, LockedPlatform, Lockfile } from './lockfile.ts'

/** The layer of the installer image that holds Node and what it needs. */
export const nodeLayer = 'installer-node'

/** What the installer image is made for: the package of Debian, and the oldest version that runs Slipway. */
const nodePackage = 'nodejs'
const oldestNode = '20.19'

/**
 * The appliance's layers that the installer image stands on, byte for byte: up to the libraries, which Node needs too;
 * else only the lowest.
 */
export function sharedLayers(layers: readonly string[]): string[] {
  return layers.slice(0, Math.max(layers.indexOf(pinnedLayer), 0) + 1)
}

/**
 * Chooses Node and what it needs beside what the shared layers hold already, which stays as it is to the version.
 * Undefined where the archive has no Node that is new enough. Throws what `resolve` throws.
 */
export function resolveInstaller(
  definition: Pick<Definition, 'layers' | 'pins'>,
  { packages, excluded }: LockedPlatform,
  index: PackageIndex,
  kept: ReadonlyMap<string, string>,
): LockedPackage[] | undefined {
  const newest = index.named(nodePackage)[0]
  if (!newest || compareVersions(newest.version, oldestNode) < 0) return undefined
  const shared = sharedLayers(definition.layers)
  const below = packages.filter(({ layer }) => shared.includes(layer))
  const versions = below.map(({ name, version }): [string, string] => [name, version])
  const resolution = resolve({
    index,
    wanted: [
      { by: 'shared', packages: below.map(({ name }) => name) },
      { by: nodeLayer, packages: [nodePackage] },
    ],
    exclude: Object.fromEntries(excluded.map(({ name, reason }) => [name, reason])),
    pins: { ...definition.pins, ...Object.fromEntries(versions) },
    // A library that the appliance has in a higher layer is the same in both images.
    preferred: new Map([...kept, ...packages.map(({ name, version }): [string, string] => [name, version])]),
  })
  const present = new Set(below.map(({ name }) => name))
  return resolution.packages
    .filter((one) => !present.has(one.package.name))
    .map((one) => lockPackage(one, nodeLayer))
}

/** Every package that a platform's images are made from, the installer's too; each name once. */
export function allPackages(lock: Lockfile | undefined, platform: Platform): LockedPackage[] {
  const own = lock?.platforms[platform]?.packages ?? []
  const names = new Set(own.map(({ name }) => name))
  return [...own, ...(lock?.installer?.[platform] ?? []).filter(({ name }) => !names.has(name))]
}
