import { formatBytes } from '../lib/bytes.ts'
import type { LockChange, PlatformDiff, SourceChange } from '../lock/diff-lock.ts'
import { allPackages } from '../lock/installer.ts'
import type { LockedPackage, LockedSource, Lockfile } from '../lock/lockfile.ts'

/** What changes for one platform, as lines: package by package, or in a first lock, where all is new, layer by layer. */
export function describeLockDiff(
  { platform, changes, sources = [], runs = [], sizeBefore, sizeAfter }: PlatformDiff,
  lock: Lockfile,
): string[] {
  const packages = allPackages(lock, platform)
  const excluded = lock.platforms[platform]?.excluded ?? []
  const grown = sizeAfter - sizeBefore
  const growth =
    sizeBefore === 0 || grown === 0 ? '' : ` (${grown > 0 ? '+' : '−'}${formatBytes(Math.abs(grown))})`
  const left = excluded.length === 0 ? '' : `, ${excluded.length} left out by exclude`
  return [
    `${platform}: ${packages.length} packages, ${formatBytes(sizeAfter)}${growth}${left}`,
    ...(sizeBefore === 0 ? describeLayers(packages) : changes.map(describeChange)),
    ...sources.map(describeSource),
    ...runs.map(
      ({ package: name, version, script, sha256 }) =>
        `  ! the ${script} of ${name} ${version} (${sha256.slice(0, 12)}) runs while building`,
    ),
  ]
}

function describeSource({ path: file, before, after }: SourceChange): string {
  const facts = ({ layer, size }: LockedSource): string => `(${layer}, ${formatBytes(size)})`
  if (!after) return `  - ${file} ${facts(before!)}`
  return `  ${before ? '~' : '+'} ${file} ${facts(after)}`
}

function describeChange({ name, before, after }: LockChange): string {
  if (!before && after) return `  + ${name} ${after.version} (${after.layer}, ${formatBytes(after.size)})`
  if (before && !after) return `  - ${name} ${before.version} (${formatBytes(before.size)})`
  const from = before!
  const to = after!
  const version = from.version === to.version ? to.version : `${from.version} → ${to.version}`
  const layer = from.layer === to.layer ? '' : `, layer ${from.layer} → ${to.layer}`
  return `  ~ ${name} ${version} (${to.suite}, ${formatBytes(to.size)}${layer})`
}

function describeLayers(packages: readonly LockedPackage[]): string[] {
  const layers = [...new Set(packages.map(({ layer }) => layer))]
  return layers.map((name) => {
    const sizes = packages.filter(({ layer }) => layer === name).map(({ size }) => size)
    const total = formatBytes(sizes.reduce((sum, size) => sum + size, 0))
    return `  + ${name}: ${sizes.length} ${sizes.length === 1 ? 'package' : 'packages'}, ${total}`
  })
}
