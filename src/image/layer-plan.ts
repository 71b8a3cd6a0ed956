import type { Component, Definition } from '../definition/definition.ts'
import type { OverlayFile } from '../definition/overlay.ts'
import type { SourceTree } from '../definition/sources/source.ts'
import { sha256Hex } from '../lib/digest.ts'
import { assemblyVersion, type ExcludedPackage, type LockedPackage, type Lockfile } from '../lock/lockfile.ts'

/** Everything that one layer is made from. */
export interface LayerPlan {
  readonly name: string
  /** Hash of all that decides the layer's bytes, the layers below included: its name in the cache. */
  readonly key: string
  readonly packages: readonly LockedPackage[]
  readonly components: readonly ComponentFiles[]
  /** Told in the lowest layer's package database. */
  readonly excluded: readonly ExcludedPackage[]
  /** Files that only the brand's layer has. */
  readonly brand: readonly OverlayFile[]
}

export interface ComponentFiles {
  readonly component: Component
  readonly overlay: readonly OverlayFile[]
  /** For this platform, in the component's order. */
  readonly trees: readonly SourceTree[]
}

/** What the plan takes from disk. */
export interface LayerSources {
  readonly overlays: ReadonlyMap<string, readonly OverlayFile[]>
  /** What the brand's layer holds. */
  readonly brand: readonly OverlayFile[]
  readonly trees: readonly SourceTree[]
  /** A hash of the recipe that a package has; the same for all that have none. */
  readonly recipeDigest: (packageName: string) => string
}

/** The layers of one platform, bottom first. Pure. */
export function planLayers(
  definition: Definition,
  lockfile: Lockfile,
  platform: keyof Lockfile['platforms'],
  sources: LayerSources,
): LayerPlan[] {
  const locked = lockfile.platforms[platform]!
  // Package scripts may ask for any component's accounts.
  const accounts = definition.components
    .map(({ users, groups }) => [users, groups])
    .filter((both) => both.some((list) => list.length > 0))
  let below = ''
  return definition.layers.map((name, index) => {
    const packages = locked.packages.filter((entry) => entry.layer === name)
    const components = definition.components
      .filter((component) => component.layer === name)
      .map((component) => ({
        component,
        overlay: sources.overlays.get(component.name) ?? [],
        trees: sources.trees.filter(
          (tree) => tree.component === component.name && (tree.rule.platforms?.includes(platform) ?? true),
        ),
      }))
    const excluded = index === 0 ? locked.excluded : []
    const brand = index === definition.layers.length - 1 ? sources.brand : []
    const usesLockDate = packages.length === 0
    below = sha256Hex(
      JSON.stringify([
        assemblyVersion,
        below,
        name,
        platform,
        packages.map((entry) => [entry.name, entry.sha256, sources.recipeDigest(entry.name)]),
        components.map((files) => [
          componentRules(files.component),
          files.overlay.map(overlayIdentity),
          ...(files.trees.length > 0 ? [files.trees.map(({ rule, sha256 }) => [rule, sha256])] : []),
        ]),
        excluded,
        brand.map(overlayIdentity),
        packages.length > 0 ? [definition.omit, definition.accept, accounts] : [],
        usesLockDate ? lockfile.date : '',
      ]),
    )
    return { name, key: below, packages, components, excluded, brand }
  })
}

/** The part of a component that decides bytes: not where it stands on this disk. */
function componentRules(component: Component): unknown {
  const { groups, users, directories, files, links, name, layer, essential } = component
  return { name, layer, essential, groups, users, directories, files, links }
}

function overlayIdentity(file: OverlayFile): unknown {
  return [file.path, file.mode, file.target ?? '', file.content ? sha256Hex(file.content) : '']
}
