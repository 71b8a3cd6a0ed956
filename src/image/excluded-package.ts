import type { InstalledPackage } from './installed-package.ts'

/** A dependency that the definition does without. */
export interface Excluded {
  readonly name: string
  readonly version: string
  readonly reason: string
}

/**
 * A package without files that provides everything the definition excludes, so that dpkg and apt see every dependency
 * met while the real packages' data stay as they are. Its version never changes, so that a new release of the appliance
 * leaves the layer that holds it alone.
 */
export function excludedPackage(excluded: readonly Excluded[]): InstalledPackage {
  const sorted = [...excluded].sort((a, b) => (a.name < b.name ? -1 : 1))
  // dpkg reads no empty version: a name that the archive does not have is provided without one.
  const provides = sorted
    .map(({ name, version }) => (version === '' ? name : `${name} (= ${version})`))
    .join(', ')
  const reasons = sorted.map(({ name, reason }) => ` ${name}: ${reason.replace(/\s+/g, ' ').trim()}`)
  const control = [
    'Package: slipway-excluded',
    'Version: 1',
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
    control: new Map([
      ['control', new TextEncoder().encode(control)],
      // dpkg --audit asks for it, even where there is nothing to sum.
      ['md5sums', new Uint8Array()],
    ]),
    entries: [],
    omitted: [],
  }
}
