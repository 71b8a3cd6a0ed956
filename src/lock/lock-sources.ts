import { createPackageIndex, type PackageIndex } from '../debian/package-index.ts'
import type { Definition } from '../definition/definition.ts'
import type { LocalDeb, ProductSources } from '../definition/sources/source.ts'
import type { Platform } from '../lib/platform.ts'
import type { LockedSource } from './lockfile.ts'

/** Packages that a component asks for. */
export interface WantedPackages {
  readonly by: string
  readonly packages: readonly string[]
}

/** What each component asks for: packages by name, and those that it brings as local `.deb` files. */
export function wantedPackages(
  { components }: Pick<Definition, 'components'>,
  { debs }: ProductSources,
): WantedPackages[] {
  return components.map(({ name, packages }) => {
    const local = debs.filter(({ component }) => component === name).map((deb) => deb.package.name)
    return { by: name, packages: [...new Set([...packages, ...local])] }
  })
}

/** The archive's index with the product's own packages in place of all that the archive has of their names. */
export function withLocalDebs(index: PackageIndex, debs: readonly LocalDeb[]): PackageIndex {
  if (debs.length === 0) return index
  const names = new Set(debs.map((deb) => deb.package.name))
  const others = [...index.packages()].filter(({ name }) => !names.has(name))
  return createPackageIndex(index.architecture, [debs.map((deb) => deb.package), others])
}

/** A platform's folders and archives, as the lock names them; one that goes to several places is named once. */
export function lockSources(
  { components }: Pick<Definition, 'components'>,
  platform: Platform,
  { trees }: ProductSources,
): LockedSource[] {
  const own = trees.filter(({ rule }) => rule.platforms?.includes(platform) ?? true)
  const distinct = new Map(own.map((tree) => [`${tree.component} ${tree.rule.path}`, tree]))
  return [...distinct.values()].map(({ component, rule: { kind, path }, size, sha256 }) => {
    const { layer } = components.find(({ name }) => name === component)!
    return { component, kind, path, size, sha256, layer }
  })
}
