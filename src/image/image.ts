import type { Definition } from '../definition/definition.ts'
import { debianArchitecture, type Platform } from '../lib/platform.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import { type Blob, describe, jsonBlob } from './blob.ts'
import type { CachedLayer } from './layer-cache.ts'
import { type ImageConfig, type Manifest, mediaTypes } from './oci.ts'

/** One platform's image, whole: its blobs and what binds them. */
export interface Image {
  readonly platform: Platform
  readonly layers: readonly CachedLayer[]
  readonly config: Blob & { readonly bytes: Uint8Array }
  readonly manifest: Blob & { readonly bytes: Uint8Array }
}

/** Binds built layers into an image: configuration and manifest. Pure. */
export function assembleImage(
  definition: Definition,
  lockfile: Lockfile,
  platform: Platform,
  layers: readonly CachedLayer[],
  extra: Partial<ImageConfig['config']> = {},
): Image {
  const usual = imageConfig(definition, lockfile, platform, layers)
  const config = jsonBlob({ ...usual, config: { ...usual.config, ...extra } })
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: describe(mediaTypes.config, config),
    layers: layers.map((layer) => ({
      ...describe(mediaTypes.layer, layer),
      annotations: { 'io.slipway.layer': layer.name },
    })),
    annotations: imageAnnotations(definition, lockfile),
  }
  return { platform, layers, config, manifest: jsonBlob(manifest) }
}

function imageConfig(
  definition: Definition,
  lockfile: Lockfile,
  platform: Platform,
  layers: readonly CachedLayer[],
): ImageConfig {
  const ports = definition.components.flatMap((component) => component.ports).sort()
  return {
    created: lockfile.date,
    architecture: debianArchitecture(platform),
    os: 'linux',
    config: {
      ...(ports.length > 0 && { ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])) }),
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: ['/bin/bash'],
      Labels: {
        ...imageAnnotations(definition, lockfile),
        'io.slipway.product': definition.name,
        'io.slipway.release': definition.version,
        'io.slipway.pins': JSON.stringify(pinnedVersions(definition, lockfile, platform)),
      },
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffID) },
    history: layers.map((layer) => ({
      created: lockfile.date,
      created_by: `${definition.brand.command}: ${layer.name}`,
    })),
  }
}

/** Pinned library → the version that the image holds. */
function pinnedVersions(
  { pins }: Definition,
  lockfile: Lockfile,
  platform: Platform,
): Record<string, string> {
  const packages = lockfile.platforms[platform]?.packages ?? []
  return Object.fromEntries(
    packages.filter(({ name }) => name in pins).map(({ name, version }) => [name, version]),
  )
}

/** Pre-defined annotation keys (OCI image-spec, annotations.md). */
export function imageAnnotations(definition: Definition, lockfile: Lockfile): Record<string, string> {
  return {
    'org.opencontainers.image.created': lockfile.date,
    'org.opencontainers.image.title': definition.brand.product,
    'org.opencontainers.image.description': definition.description,
    'org.opencontainers.image.authors': definition.brand.support,
    'org.opencontainers.image.vendor': definition.brand.vendor,
    'org.opencontainers.image.version': definition.version,
  }
}
