import type { Dependency } from './dependency.ts'
import type { BinaryPackage } from './package.ts'
import { satisfies } from './version.ts'

/**
 * Whether a package, under its own name or one that it provides, is what a dependency asks for, where all packages
 * are of one architecture. A versioned dependency is met only by a Provides that has a version (Debian Policy 7.5);
 * `name:any` only by a package that is Multi-Arch: allowed (dpkg's multiarch specification).
 */
export function meets(candidate: BinaryPackage, dependency: Dependency, architecture: string): boolean {
  if (candidate.name === dependency.name) {
    return (
      architectureMatches(candidate, dependency, architecture) &&
      versionMatches(candidate.version, dependency)
    )
  }
  if (dependency.architecture === 'any') return false
  return candidate.provides.some(
    (provided) =>
      provided.name === dependency.name &&
      architectureMatches(candidate, dependency, architecture) &&
      versionMatches(provided.version, dependency),
  )
}

/**
 * Whether a Conflicts or Breaks clause hits a package; `name:any` names every architecture here. A package is never
 * at odds with itself, whatever it provides.
 */
export function hits(target: BinaryPackage, clause: Dependency, architecture: string): boolean {
  const { architecture: qualifier, ...rest } = clause
  return meets(target, qualifier === undefined || qualifier === 'any' ? rest : clause, architecture)
}

function versionMatches(version: string | undefined, { relation, version: wanted }: Dependency): boolean {
  if (relation === undefined) return true
  return version !== undefined && satisfies(version, relation, wanted!)
}

function architectureMatches(
  candidate: BinaryPackage,
  { architecture: qualifier }: Dependency,
  native: string,
): boolean {
  if (qualifier === undefined || qualifier === 'native') return true
  if (qualifier === 'any') return candidate.multiArch === 'allowed'
  // Packages of `all` count as native.
  return qualifier === (candidate.architecture === 'all' ? native : candidate.architecture)
}
