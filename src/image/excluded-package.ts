import type { InstalledPackage } from './dpkg-database.ts'

/** A dependency that the definition does without. */
export interface Excluded {
  readonly name: string
  readonly version: string
  readonly reason: string
}

/**
 * A package without files that provides everything the definition excludes, so that dpkg and apt see every dependency
 * met while the real packages' data stay as they are.
 */
export function excludedPackage(version: string, excluded: readonly Excluded[]): InstalledPackage {
  const sorted = [...excluded].sort((a, b) => (a.name < b.name ? -1 : 1))
  const provides = sorted.map(({ name, version }) => `${name} (= ${version})`).join(', ')
  const reasons = sorted.map(({ name, reason }) => ` ${name}: ${reason.replace(/\s+/g, ' ').trim()}`)
  const control = [
    'Package: slipway-excluded',
    `Version: ${debianVersion(version)}`,
    'Architecture: all',
    'Maintainer: Slipway <slipway@localhost>',
    'Priority: optional',
    'Section: metapackages',
    'Installed-Size: 0',
    'Multi-Arch: foreign',
    `Provides: ${provides}`,
    'Description: what this appliance does without, and why',
    ...reasons,
    '',
  ].join('\n')
  return {
    control: new Map([['control', new TextEncoder().encode(control)]]),
    entries: [],
    omitted: [],
  }
}

/** A semantic version as a Debian one: a pre-release sorts before the release. */
function debianVersion(version: string): string {
  return version.replace(/^(\d+\.\d+\.\d+)-/, '$1~')
}
