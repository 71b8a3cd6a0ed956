import { createCipheriv } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { jsonBlob } from '../../src/image/blob.ts'
import type { Descriptor, Index } from '../../src/image/oci.ts'
import { hexOf } from '../../src/lib/digest.ts'
import { type TinyLayer, writeTinyLayout } from './tiny-layout.ts'

/** A layout with one image, its bill of materials, and the tag 1.0.0. */
export async function writePushableLayout(
  directory: string,
  layers: readonly TinyLayer[] = [{ 'etc/one': 'one\n' }, { 'etc/two': 'two\n' }],
) {
  const written = await writeTinyLayout(directory, layers)
  const put = async (mediaType: string, value: unknown): Promise<Descriptor> => {
    const { digest, size, bytes } = jsonBlob(value)
    await writeFile(path.join(directory, 'blobs', 'sha256', hexOf(digest)), bytes)
    return { mediaType, digest, size }
  }
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const artifactType = 'application/spdx+json'
  const bill = await put(mediaType, {
    schemaVersion: 2,
    mediaType,
    artifactType,
    config: await put('application/vnd.oci.empty.v1+json', {}),
    layers: [await put(artifactType, { spdxVersion: 'SPDX-2.3' })],
    subject: written.manifest,
  })
  const file = path.join(directory, 'index.json')
  const { manifests, ...rest } = JSON.parse(await readFile(file, 'utf8')) as Index
  const [index] = manifests
  const named = { ...index!, annotations: { 'org.opencontainers.image.ref.name': '1.0.0' } }
  const all = [named, written.manifest, { ...bill, artifactType }]
  await writeFile(file, JSON.stringify({ ...rest, manifests: all }))
  return { ...written, index: index!, bill }
}

/** Bytes that do not compress, the same in each run. */
export function noise(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length))
}
