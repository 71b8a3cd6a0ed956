import { sha256Hex } from '../lib/digest.ts'
import type { Platform } from '../lib/platform.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import type { BundledImage } from './format.ts'

/** Name → version. */
export type PackageList = ReadonlyMap<string, string>

/** The stand-in for excluded dependencies (docs/adr/0004): in the database, not in the lock. */
const standIn = 'slipway-excluded'

/** What a package database (dpkg(1), status) says is there. */
export function readStatus(status: Uint8Array): PackageList {
  const packages = new Map<string, string>()
  for (const stanza of Buffer.from(status).toString('utf8').split(/\n\n+/)) {
    const name = /^Package: (.*)$/m.exec(stanza)?.[1]
    const version = /^Version: (.*)$/m.exec(stanza)?.[1]
    if (name && version && name !== standIn) packages.set(name, version)
  }
  return packages
}

/** What the lock says is in one of its images: the installer's has the appliance's lower layers, by name, and its own. */
export function lockedPackages(
  lock: Lockfile,
  platform: Platform,
  { role, layers }: Pick<BundledImage, 'role' | 'layers'>,
): PackageList {
  const own = lock.platforms[platform]?.packages ?? []
  const names = new Set(layers.map(({ name }) => name))
  const packages =
    role === 'appliance'
      ? own
      : [...own.filter(({ layer }) => names.has(layer)), ...(lock.installer?.[platform] ?? [])]
  return new Map(packages.map(({ name, version }) => [name, version]))
}

export function packagesDigest(packages: PackageList): string {
  const lines = [...packages].map(([name, version]) => `${name} ${version}\n`)
  return sha256Hex(lines.sort().join(''))
}

/** The first difference in words that follow "the lock"; undefined where there is none. */
export function differenceOf(locked: PackageList, installed: PackageList): string | undefined {
  for (const name of [...new Set([...locked.keys(), ...installed.keys()])].sort()) {
    const [wanted, found] = [locked.get(name), installed.get(name)]
    if (wanted === found) continue
    if (found === undefined) return `has ${name} ${wanted}, and the image does not`
    if (wanted === undefined) return `does not have ${name} ${found}, and the image does`
    return `has ${name} ${wanted}, and the image has ${found}`
  }
  return undefined
}
