import { describe, expect, it } from 'vitest'
import { describeProvenance } from '../../../src/bundle/provenance.ts'
import { describeMaterials } from '../../../src/image/sbom.ts'
import type { LockedPackage, Lockfile } from '../../../src/lock/lockfile.ts'
import { tinyDefinition } from '../../support/tiny-definition.ts'

const locked = (name: string, version: string, suite: string, path: string): LockedPackage => ({
  ...{ name, version, architecture: 'amd64', source: name, sourceVersion: version, suite, path },
  ...{ size: 1, sha256: 'a'.repeat(64), layer: 'base', needs: [] },
})
const lockfile: Lockfile = {
  ...{ lockVersion: 1, assemblyVersion: 1, definition: `sha256:${'1'.repeat(64)}` },
  ...{ date: '2026-11-19T02:12:54Z', archives: [] },
  platforms: {
    'linux/amd64': {
      packages: [
        locked('passwd', '1:4.17.4-2', 'trixie', 'pool/main/s/shadow/passwd_4.17.4-2_amd64.deb'),
        locked('agent', '1.2', 'local', 'images/acme/agent.deb'),
      ],
      excluded: [],
      sources: [
        {
          ...{ component: 'acme', kind: 'tarball', path: 'images/acme/data.tar.gz' },
          ...{ size: 9, sha256: 'd'.repeat(64), layer: 'base' },
        },
      ],
    },
  },
}

interface Provenance {
  readonly predicate: {
    readonly buildDefinition: { readonly resolvedDependencies: readonly { readonly uri: string }[] }
  }
}
interface Materials {
  readonly packages: readonly { readonly externalRefs?: readonly { readonly referenceLocator: string }[] }[]
}

describe('describeProvenance', () => {
  it('names packages as the bill of materials does, and what is of the product by its path there', () => {
    const definition = tinyDefinition([])
    const facts = { lock: `sha256:${'2'.repeat(64)}`, builder: '1.0.0' } as const
    const { predicate } = describeProvenance(definition, lockfile, 'linux/amd64', [], facts) as Provenance
    const { packages } = describeMaterials(definition, lockfile, 'linux/amd64') as Materials
    const urls = packages.flatMap(({ externalRefs = [] }) => externalRefs.map((one) => one.referenceLocator))
    expect(urls).toEqual([
      'pkg:deb/debian/passwd@1:4.17.4-2?arch=amd64&distro=trixie',
      'pkg:deb/tiny/agent@1.2?arch=amd64',
    ])
    expect(predicate.buildDefinition.resolvedDependencies.map(({ uri }) => uri)).toEqual([
      'appliance.lock',
      ...urls,
      'images/acme/data.tar.gz',
    ])
  })
})
