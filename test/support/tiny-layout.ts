import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import type { Descriptor } from '../../src/image/oci.ts'
import { type Digest, digestOf, hexOf } from '../../src/lib/digest.ts'

/** Path in the image → text, or bytes of a program. */
export type TinyLayer = Readonly<Record<string, string | Uint8Array>>

/** Writes an OCI layout of one small linux/amd64 image: a layer for each set of files. */
export async function writeTinyLayout(
  directory: string,
  layers: readonly TinyLayer[],
  labels: Readonly<Record<string, string>> = {},
): Promise<{ manifest: Descriptor; config: Descriptor; layers: Descriptor[] }> {
  const blobs = path.join(directory, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  const put = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    const digest = digestOf(bytes)
    await writeFile(path.join(blobs, hexOf(digest)), bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const putJson = (mediaType: string, value: unknown) => put(mediaType, Buffer.from(JSON.stringify(value)))
  const diffIds: Digest[] = []
  const written: Descriptor[] = []
  for (const files of layers) {
    const tar = await tarOf(files)
    diffIds.push(`sha256:${createHash('sha256').update(tar).digest('hex')}`)
    written.push(await put('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar)))
  }
  const config = await putJson('application/vnd.oci.image.config.v1+json', {
    created: '2025-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/busybox', 'sleep', '1000000'], Labels: labels },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: layers.map(() => ({ created: '2025-01-01T00:00:00Z', created_by: 'test' })),
  })
  const manifestType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = await putJson(manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers: written,
  })
  const indexType = 'application/vnd.oci.image.index.v1+json'
  const platform = { architecture: 'amd64', os: 'linux' }
  const index = await putJson(indexType, {
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [{ ...manifest, platform }],
  })
  await writeFile(path.join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(
    path.join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [index] }),
  )
  return { manifest, config, layers: written }
}

/** A layer that holds a statically linked busybox as /bin/busybox and /bin/sh; the host needs busybox-static. */
export async function busyboxLayer(): Promise<TinyLayer> {
  const busybox = await readFile('/bin/busybox')
  return { 'bin/busybox': busybox, 'bin/sh': busybox }
}

async function tarOf(files: TinyLayer): Promise<Buffer> {
  const tar = pack()
  for (const [name, content] of Object.entries(files)) {
    tar.entry({ name, mode: 0o755, mtime: new Date(0) }, content)
  }
  tar.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
