import { mediaTypes } from '../image/oci.ts'
import { type BundledImage, type BundleManifest, blobPath } from './format.ts'

/** `oci-layout` (OCI image-spec, image-layout.md). */
export const layoutFile = '{"imageLayoutVersion":"1.0.0"}'

/** `index.json`: the bundle's images by name. An update's layout lacks the blobs of the layers that are absent. */
export function indexFile({ images, platform }: Pick<BundleManifest, 'images' | 'platform'>): string {
  const [os, architecture] = platform.split('/')
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: images.map(({ manifest, reference, role }) => ({
      mediaType: mediaTypes.manifest,
      digest: manifest.digest,
      size: manifest.size,
      platform: { architecture, os },
      annotations: {
        'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
        'io.slipway.role': role,
      },
    })),
  })
}

/** `manifest.json`: what `docker load` takes from the bundle's beginning, the installer image and nothing else. */
export function dockerManifestFile({ reference, config, layers }: BundledImage): string {
  return JSON.stringify([
    {
      Config: blobPath(config.digest),
      RepoTags: [reference],
      Layers: layers.map(({ digest }) => blobPath(digest)),
    },
  ])
}
