import type { Readable } from 'node:stream'
import type { Digest } from '../lib/digest.ts'
import type { Platform } from '../lib/platform.ts'
import type { Descriptor } from './oci.ts'

export interface SourceLayer extends Descriptor {
  /** Digest of the layer's tar before compression. */
  readonly diffId: Digest
  /** Bytes of that tar, where they are known. */
  readonly unpacked?: number
  /** Its bytes are not here: an update, for an Engine that has it. */
  readonly absent?: true
}

/** One platform's image, wherever its blobs are: a layout directory, a bundle. */
export interface ImageSource {
  readonly platform: Platform
  readonly manifest: Descriptor
  readonly config: Descriptor
  /** Bottom first. */
  readonly layers: readonly SourceLayer[]
  readonly labels: Readonly<Record<string, string>>
  /** Brings blobs to this machine, checked, before they are opened; absent where they are here. */
  bring?(blobs: readonly Descriptor[], signal?: AbortSignal): Promise<void>
  /** Removes what was brought, once the Engine has the image. */
  discard?(): Promise<void>
  /** A blob's bytes, checked against digest and size as they pass: the stream fails at its end if they differ. */
  open(blob: Descriptor): Readable
}
