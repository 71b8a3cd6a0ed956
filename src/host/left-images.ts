import type { Engine } from '../engine/engine.ts'
import { ownLabels } from './labels.ts'

/**
 * The images of a product that no container is made from, by a tag, else by their IDs: what an uninstall leaves, since
 * they may be wanted again.
 */
export async function leftImages(
  { images, containers }: Engine,
  products: ReadonlySet<string | undefined>,
): Promise<string[]> {
  const used = new Set((await containers.list()).map(({ imageId }) => imageId))
  return (await images.list())
    .filter(
      ({ id, labels }) =>
        labels[ownLabels.product] && products.has(labels[ownLabels.product]) && !used.has(id),
    )
    .map(({ id, tags }) => tags[0] ?? id)
    .sort()
}
