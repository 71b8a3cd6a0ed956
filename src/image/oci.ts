import type { Digest } from '../lib/digest.ts'

/** The parts of the OCI image specification (v1.1) that are written and read here. */

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
  spdx: 'application/spdx+json',
} as const

export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly platform?: { readonly architecture: string; readonly os: string }
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType: typeof mediaTypes.manifest
  readonly artifactType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Index {
  readonly schemaVersion: 2
  readonly mediaType: typeof mediaTypes.index
  readonly manifests: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** OCI image configuration (config.md): what a container of the image starts from. */
export interface ImageConfig {
  readonly created: string
  readonly architecture: string
  readonly os: string
  readonly config: {
    readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
    readonly Env: readonly string[]
    readonly Entrypoint?: readonly string[]
    readonly WorkingDir?: string
    readonly Cmd?: readonly string[]
    readonly Labels: Readonly<Record<string, string>>
  }
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history: readonly {
    readonly created: string
    readonly created_by: string
    readonly comment?: string
  }[]
}
