import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { debianArchitecture, type Platform } from '../../lib/platform.ts'
import { describe, jsonBlob } from '../blob.ts'
import type { ImageSource } from '../image-source.ts'
import type { LayerBlob } from '../layer.ts'
import type { CachedLayer } from '../layer-cache.ts'
import { type ImageConfig, mediaTypes } from '../oci.ts'

/** Finished layers, and one on top as far as it is made: an image that only a container of the build is made from. */
export function imageSoFar(platform: Platform, below: readonly CachedLayer[], top: LayerBlob): ImageSource {
  const layers = [...below, top].map((layer) => ({
    ...describe(mediaTypes.layer, layer),
    diffId: layer.diffID,
  }))
  const created = '1970-01-01T00:00:00Z'
  const labels = { 'io.slipway.build': 'so-far' }
  const config = jsonBlob({
    created,
    architecture: debianArchitecture(platform),
    os: 'linux',
    config: { Env: [], Labels: labels },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created, created_by: 'slipway' })),
  } satisfies ImageConfig)
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: describe(mediaTypes.config, config),
    layers: layers.map(({ diffId, ...descriptor }) => descriptor),
  })
  return {
    platform,
    manifest: describe(mediaTypes.manifest, manifest),
    config: describe(mediaTypes.config, config),
    layers,
    labels,
    open: ({ digest }) => {
      for (const { bytes, ...blob } of [config, manifest]) {
        if (blob.digest === digest) return Readable.from([bytes])
      }
      if (digest === top.digest) return Readable.from(top.blob.map((piece) => Buffer.from(piece)))
      return createReadStream(below.find((layer) => layer.digest === digest)!.file)
    },
  }
}
