import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { replaceFile } from '../../lib/atomic.ts'
import { sha256Hex } from '../../lib/digest.ts'
import type { CollectorResult } from './collect.ts'

/** `manifest.json` of a bundle: what was looked at, how that went, and every file with its checksum. */
export interface BundleManifest {
  readonly kind: 'slipway-support-bundle'
  readonly format: 1
  readonly name: string
  /** ISO 8601. */
  readonly created: string
  readonly collectors: readonly {
    readonly name: string
    readonly outcome: CollectorResult['outcome']
    readonly took: number
    readonly reason?: string
    readonly files: readonly {
      readonly path: string
      readonly size: number
      readonly sha256: string
      readonly redactions: number
    }[]
  }[]
}

export function bundleManifest(
  name: string,
  created: string,
  results: readonly CollectorResult[],
): BundleManifest {
  return {
    kind: 'slipway-support-bundle',
    format: 1,
    name,
    created,
    collectors: results.map((result) => ({
      name: result.name,
      outcome: result.outcome,
      took: result.took,
      ...(result.reason !== undefined && { reason: result.reason }),
      files: result.files.map(({ path, content, redactions }) => ({
        path,
        size: content.length,
        sha256: sha256Hex(content),
        redactions,
      })),
    })),
  }
}

/** Writes a bundle, whole or not at all: the manifest first, everything in one folder of the bundle's name. */
export async function writeBundle(
  file: string,
  folder: string,
  manifest: BundleManifest,
  results: readonly CollectorResult[],
): Promise<void> {
  const tar = pack()
  const mtime = new Date(manifest.created)
  const add = (path: string, content: Buffer): void => {
    tar.entry({ name: `${folder}/${path}`, mode: 0o600, mtime }, content)
  }
  add('manifest.json', Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
  for (const { files } of results) for (const { path, content } of files) add(path, content)
  tar.finalize()
  await replaceFile(file, (temporary) =>
    pipeline(Readable.from(tar), createGzip(), createWriteStream(temporary, { mode: 0o600, flush: true })),
  )
}
