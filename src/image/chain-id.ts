import { type Digest, digestOf } from '../lib/digest.ts'

/**
 * Chain IDs of a stack of layers, bottom first (OCI image-spec, config.md, "Layer ChainID"): each names a layer
 * together with everything below it, which is how an Engine with a graph driver keeps layers.
 */
export function chainIds(diffIds: readonly string[]): Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(below ? digestOf(`${below} ${diffId}`) : (diffId as Digest))
  }
  return chain
}

/** How many of the lowest layers some image of the Engine has already. */
export function sharedLayers(diffIds: readonly string[], stored: Iterable<readonly string[]>): number {
  const known = new Set<string>()
  for (const layers of stored) for (const id of chainIds(layers)) known.add(id)
  const missing = chainIds(diffIds).findIndex((id) => !known.has(id))
  return missing < 0 ? diffIds.length : missing
}
