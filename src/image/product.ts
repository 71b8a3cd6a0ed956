import type { Definition } from '../definition/definition.ts'
import type { Cache } from '../lib/cache.ts'
import type { Platform } from '../lib/platform.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import { type BuildOptions, buildImage } from './build.ts'
import type { Image } from './image.ts'
import { openLayerCache } from './layer-cache.ts'
import { attachMaterials, describeMaterials } from './sbom.ts'
import { type Layout, writeLayout } from './write-layout.ts'

export interface ProductOptions extends Omit<BuildOptions, 'layers'> {
  readonly cache: Cache
  readonly platforms: readonly Platform[]
  /** Directory of the image layout. */
  readonly out: string
}

export interface BuiltProduct {
  readonly images: readonly Image[]
  readonly layout: Layout
}

/**
 * Builds a product's images, platform by platform, and writes them as one layout with their bills of materials. The
 * workers are closed at the end, whatever it is.
 */
export async function buildProduct(
  definition: Definition,
  lockfile: Lockfile,
  options: ProductOptions,
): Promise<BuiltProduct> {
  const { workers } = options
  const stop = (): void => void workers.close(options.signal.reason)
  options.signal.addEventListener('abort', stop, { once: true })
  try {
    const layers = openLayerCache(options.cache.layers)
    const images: Image[] = []
    for (const platform of options.platforms) {
      images.push(await buildImage(definition, lockfile, platform, { ...options, layers }))
    }
    const name = { repository: definition.name, tag: definition.version }
    const referrers = images.map((image) =>
      attachMaterials(image, describeMaterials(definition, lockfile, image.platform)),
    )
    return { images, layout: await writeLayout(options.out, name, images, referrers) }
  } finally {
    options.signal.removeEventListener('abort', stop)
    await workers.close()
  }
}
