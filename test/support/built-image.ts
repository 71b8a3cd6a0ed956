import { rm } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { inject } from 'vitest'

/** The reference appliance, built once for a run of the integration tests. Paths are absolute. */
export interface BuiltImage {
  /** The OCI image layout. */
  readonly layoutDirectory: string
  readonly lockFile: string
  readonly cacheDirectory: string
  /** The repository, or a copy of its product files with a fresh lock. */
  readonly productDirectory: string
}

export function builtImage(): BuiltImage {
  return inject('builtImage')
}

/**
 * Unpacks the layout's amd64 image with umoci into a new folder `to`, with its owners, as root; returns the folder of
 * the root file system. `reference` is the layout's name for the image.
 */
export async function unpackImage(layout: string, reference: string, to: string): Promise<string> {
  await rm(to, { recursive: true, force: true })
  await execa('umoci', ['raw', 'unpack', '--image', `${layout}:${reference}`, to])
  return path.resolve(to)
}
