import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dockerArchive } from '../../../src/engine/docker-archive.ts'
import type { ImageSource } from '../../../src/image/image-source.ts'
import { readLayout } from '../../../src/image/read-layout.ts'
import { digestOf, hexOf } from '../../../src/lib/digest.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { writeTinyLayout } from '../../support/tiny-layout.ts'

let scratch: Scratch
let image: ImageSource

beforeAll(async () => {
  scratch = await makeScratch('archive')
  await writeTinyLayout(scratch.path, [{ 'etc/one': 'x'.repeat(5000) }, { 'etc/two': 'two' }])
  const { layers, ...rest } = await readLayout(scratch.path, 'linux/amd64')
  const known = layers.map(async (layer) => {
    const packed = await readFile(path.join(scratch.path, 'blobs', 'sha256', hexOf(layer.digest)))
    return { ...layer, unpacked: gunzipSync(packed).length }
  })
  image = { ...rest, layers: await Promise.all(known) }
})
afterAll(() => scratch.remove())

/** What an archive holds, by name, and how many bytes its making counted. */
async function read(unpack: boolean) {
  const counts: number[] = []
  const onBytes = (by: number): void => void counts.push(by)
  const archive = dockerArchive(image, { references: ['a:1'], layers: image.layers, unpack, onBytes })
  const files = new Map<string, Buffer>()
  for await (const entry of archive.pipe(extract())) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    files.set(entry.header.name, Buffer.concat(chunks))
  }
  const [{ Layers: layers }] = JSON.parse(files.get('manifest.json')!.toString()) as [{ Layers: string[] }]
  const digests = layers.map((name) => digestOf(files.get(name)!))
  return { counted: counts.reduce((sum, one) => sum + one, 0), layers, digests }
}

const places = (digests: readonly string[]) => digests.map((one) => one.replace('sha256:', 'blobs/sha256/'))

it('holds layers as they are, by their digests', async () => {
  const digests = image.layers.map(({ digest }) => digest)
  const { counted, ...found } = await read(false)
  expect(found).toEqual({ layers: places(digests), digests })
})

it('holds them unpacked, by their diff IDs, where that is wanted, and counts what was read for it', async () => {
  const digests = image.layers.map(({ diffId }) => diffId)
  const { counted, ...found } = await read(true)
  expect(found).toEqual({ layers: places(digests), digests })
  const parts = [image.manifest, image.config, ...image.layers]
  expect(counted).toBe(parts.reduce((sum, { size }) => sum + size, 0))
})
