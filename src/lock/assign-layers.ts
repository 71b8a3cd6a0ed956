import type { ResolvedPackage } from '../debian/resolver.ts'
import type { Component } from '../definition/definition.ts'

/** The layer that pinned packages go into. */
export const pinnedLayer = 'libraries'

export interface LayerRules {
  /** Bottom to top. */
  readonly layers: readonly string[]
  readonly components: readonly Pick<Component, 'name' | 'layer'>[]
  readonly pins: Readonly<Record<string, string>>
}

/**
 * Package name → layer: the first that needs it, from the bottom, by itself or through what it needs. A pinned package
 * always goes into `libraries` with what only it needs, so that a changed pin rewrites that layer and no other below.
 */
export function assignLayers(
  packages: readonly ResolvedPackage[],
  { layers, components, pins }: LayerRules,
): Map<string, string> {
  const byName = new Map(packages.map((one) => [one.package.name, one]))
  const layerOf = new Map(components.map((component) => [component.name, component.layer]))
  const assigned = new Map<string, string>()
  const isPinned = (name: string): boolean => Object.hasOwn(pins, name) && layers.includes(pinnedLayer)

  for (const layer of layers) {
    const pending = packages
      .filter(({ package: { name }, requestedBy }) =>
        isPinned(name) ? layer === pinnedLayer : requestedBy.some((by) => layerOf.get(by) === layer),
      )
      .map((one) => one.package.name)
    while (pending.length > 0) {
      const name = pending.pop()!
      if (assigned.has(name) || (isPinned(name) && layer !== pinnedLayer)) continue
      assigned.set(name, layer)
      pending.push(...byName.get(name)!.needs)
    }
  }
  return assigned
}
