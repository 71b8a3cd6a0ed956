import type { Archive, ArchiveRelease } from '../../src/debian/archive.ts'
import { createPackageIndex } from '../../src/debian/package-index.ts'
import { parsePackages } from '../../src/debian/packages-index.ts'
import { toComponent } from '../../src/definition/component.ts'
import type { Component, Definition } from '../../src/definition/definition.ts'
import { tinyStanzas } from './stanzas.ts'

/** A definition in memory, of components given by name, layer and packages. */
export function tinyDefinition(
  components: readonly (Pick<Component, 'name'> & Partial<Component>)[],
  extra: Partial<Definition> = {},
): Definition {
  return {
    directory: '/product',
    roots: [{ directory: '/product', label: '' }],
    name: 'tiny',
    version: '1.0.0',
    description: 'A product made for a test',
    debian: {
      suite: 'trixie',
      archiveComponents: ['main'],
      updates: false,
      security: true,
      snapshots: [],
      keyrings: [],
    },
    platforms: ['linux/amd64'],
    layers: ['base', 'libraries', 'dns', 'optimiser', 'brand'],
    pins: {},
    exclude: {},
    omit: [],
    accept: [],
    brand: { vendor: 'Tiny', product: 'Tiny', command: 'tiny', support: 'nobody' },
    components: components.map((component) => ({
      ...toComponent(component.name, {}, []),
      ...component,
    })),
    checks: [],
    composeFile: '/product/compose/appliance.yaml',
    keys: [],
    recipeFolders: [],
    ...extra,
  }
}

export const tinyReleases: readonly ArchiveRelease[] = [
  {
    suite: 'trixie',
    mirror: 'main',
    inRelease: `sha256:${'1'.repeat(64)}`,
    date: '2026-09-05T10:00:00Z',
    signedBy: ['A'.repeat(40)],
  },
  {
    suite: 'trixie-security',
    mirror: 'security',
    inRelease: `sha256:${'2'.repeat(64)}`,
    date: '2026-11-19T02:12:54Z',
    validUntil: '2026-11-26T02:12:54Z',
    signedBy: ['B'.repeat(40)],
  },
]

/** An opened archive of tiny stanzas: suite → architecture → lines (`tinyStanzas`). */
export function tinyArchiveView(suites: Readonly<Record<string, Readonly<Record<string, string>>>>): Archive {
  return {
    releases: tinyReleases,
    index: (architecture) =>
      createPackageIndex(
        architecture,
        Object.entries(suites).map(([suite, lines]) =>
          parsePackages(tinyStanzas(lines[architecture] ?? '', architecture), suite),
        ),
      ),
  }
}
