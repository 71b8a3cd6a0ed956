import type { Definition } from '../definition/definition.ts'
import { packageUrl } from '../image/sbom.ts'
import { type Digest, hexOf } from '../lib/digest.ts'
import type { Platform } from '../lib/platform.ts'
import type { LockedPackage, Lockfile } from '../lock/lockfile.ts'

export interface Subject {
  readonly name: string
  /** Of the image's manifest. */
  readonly digest: Digest
}

/**
 * How a bundle's images came about: an in-toto statement (v1) with SLSA's provenance (v1). It names the lock, the
 * signed archive indexes and every package; it holds no time but the lock's, so that the same input gives the same bytes.
 *
 * @param builder the version of this program
 */
export function describeProvenance(
  definition: Definition,
  lockfile: Lockfile,
  platform: Platform,
  subjects: readonly Subject[],
  { lock, builder }: { readonly lock: Digest; readonly builder: string },
): unknown {
  const { packages = [], sources = [], runs = [] } = lockfile.platforms[platform] ?? {}
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map(({ name, digest }) => ({ name, digest: { sha256: hexOf(digest) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:slipway:build:1',
        externalParameters: { product: definition.name, version: definition.version, platform },
        internalParameters: {
          assemblyVersion: lockfile.assemblyVersion,
          // Maintainer scripts that ran in a container of the image; every other one is data.
          ...(runs.length > 0 && { runs }),
        },
        resolvedDependencies: [
          { uri: 'appliance.lock', digest: { sha256: hexOf(lock) } },
          ...lockfile.archives.map(({ suite, mirror, inRelease, date }) => ({
            uri: `urn:debian:${mirror}:${suite}:InRelease`,
            digest: { sha256: hexOf(inRelease) },
            annotations: { date },
          })),
          ...packages.map((one) => describePackage(definition, one)),
          ...sources.map(({ path, sha256 }) => ({ uri: path, digest: { sha256 } })),
        ],
      },
      runDetails: { builder: { id: 'urn:slipway', version: { slipway: builder } } },
    },
  }
}

/** By the package URL that the bill of materials has too. */
function describePackage(definition: Definition, locked: LockedPackage): unknown {
  const { sha256, path } = locked
  return {
    uri: packageUrl(definition, locked),
    digest: { sha256 },
    name: path.slice(path.lastIndexOf('/') + 1),
  }
}
