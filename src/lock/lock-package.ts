import type { ResolvedPackage } from '../debian/resolver.ts'
import type { LockedPackage } from './lockfile.ts'

/** A chosen package as the lock names it. */
export function lockPackage(
  { package: one, requestedBy, needs }: ResolvedPackage,
  layer: string,
): LockedPackage {
  const { name, version, architecture, source, sourceVersion, suite, path, size, sha256 } = one
  return {
    ...{ name, version, architecture, source, sourceVersion, suite, path, size, sha256, layer },
    ...(requestedBy.length > 0 ? { requestedBy } : {}),
    needs,
  }
}
