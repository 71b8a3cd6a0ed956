import { createPublicKey, type KeyObject } from 'node:crypto'
import type { BundleManifest } from './format.ts'
import { openBundle } from './open-bundle.ts'

/** The bundle whose layers an update leaves out. */
export interface UpdateBase {
  readonly manifest: BundleManifest
  /** The bytes of its `bundle.json`. */
  readonly bytes: Uint8Array
}

/**
 * Opens the bundle that an update stands on, and checks all of it: what is wrong in it must not be built upon. With a
 * private key to sign the update it must be signed by the same, without by one of `known`, if at all. Throws what
 * `openBundle` throws.
 */
export async function readBase(
  file: string,
  key: KeyObject | undefined,
  known: readonly KeyObject[] = [],
): Promise<UpdateBase> {
  const keys = key ? [createPublicKey(key)] : known
  const bundle = await openBundle(file, { keys, allowUnsigned: true })
  try {
    return { manifest: bundle.manifest, bytes: bundle.manifestBytes }
  } finally {
    await bundle.close()
  }
}
