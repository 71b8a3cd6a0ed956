import type { BinaryPackage } from './package.ts'
import { compareVersions } from './version.ts'

/** A package that provides a name, with the version it provides where its Provides gives one. */
export interface Provider {
  readonly package: BinaryPackage
  readonly version?: string
}

/** What an archive offers one architecture: its own packages and those of `all`, over all suites. */
export interface PackageIndex {
  readonly architecture: string
  /** Versions of a package, newest first; empty where there is none. */
  named(name: string): readonly BinaryPackage[]
  /** Packages whose Provides has the name, in the order of the indexes. */
  providing(name: string): readonly Provider[]
  names(): Iterable<string>
  packages(): Iterable<BinaryPackage>
}

/**
 * Indexes the packages of several suites. Where suites hold the same version, that of the suite given first stays.
 * Packages of other architectures are left out.
 */
export function createPackageIndex(
  architecture: string,
  suites: Iterable<readonly BinaryPackage[]>,
): PackageIndex {
  const byName = new Map<string, BinaryPackage[]>()
  for (const packages of suites) {
    for (const candidate of packages) {
      if (candidate.architecture !== architecture && candidate.architecture !== 'all') continue
      const versions = byName.get(candidate.name)
      if (versions === undefined) byName.set(candidate.name, [candidate])
      else if (!versions.some((other) => other.version === candidate.version)) versions.push(candidate)
    }
  }
  for (const versions of byName.values()) {
    if (versions.length > 1) versions.sort((a, b) => compareVersions(b.version, a.version))
  }

  let providers: Map<string, Provider[]> | undefined
  return {
    architecture,
    named: (name) => byName.get(name) ?? [],
    providing: (name) => {
      providers ??= indexProviders(byName.values())
      return providers.get(name) ?? []
    },
    names: () => byName.keys(),
    packages: function* () {
      for (const versions of byName.values()) yield* versions
    },
  }
}

function indexProviders(packages: Iterable<readonly BinaryPackage[]>): Map<string, Provider[]> {
  const providers = new Map<string, Provider[]>()
  for (const versions of packages) {
    for (const candidate of versions) {
      for (const { name, version } of candidate.provides) {
        const provider: Provider =
          version === undefined ? { package: candidate } : { package: candidate, version }
        const known = providers.get(name)
        if (known) known.push(provider)
        else providers.set(name, [provider])
      }
    }
  }
  return providers
}
