import type { Definition } from '../definition/definition.ts'
import type { Engine } from '../engine/engine.ts'
import { inspectHost } from '../host/inspect.ts'
import type { ImageSource } from '../image/image-source.ts'
import { type Descriptor, mediaTypes } from '../image/oci.ts'
import type { Digest } from '../lib/digest.ts'
import { SlipwayError } from '../lib/errors.ts'
import type { Platform } from '../lib/platform.ts'

/**
 * The image from which this very release runs on the host, so that settings are changed without the bundle that it came
 * in; undefined where it does not run, or its image is gone. Its layers are the Engine's alone: they cannot be read.
 */
export async function installedImage(
  engine: Engine,
  definition: Definition,
  name: string,
  platform: Platform,
): Promise<ImageSource | undefined> {
  const { containers } = await inspectHost(engine, name)
  const running = containers.find((one) => one.release === definition.version && one.imageIds.length > 0)
  const document = await engine.images.inspect(`${definition.name}:${definition.version}`)
  if (!running || !document || !running.imageIds.includes(document.id)) return undefined
  const [config, manifest = config] = running.imageIds.map((id) => ({ digest: id as Digest, size: 0 }))
  return {
    platform,
    config: { ...config!, mediaType: mediaTypes.config },
    manifest: { ...manifest!, mediaType: mediaTypes.manifest },
    layers: [],
    labels: document.labels,
    open: ({ digest }: Descriptor) => {
      throw new SlipwayError(
        'no-such-blob',
        `${digest} is in the Engine and nowhere else; name the bundle that it came in with --bundle FILE.`,
      )
    },
  }
}
