import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLayout } from '../../../src/image/read-layout.ts'
import { hexOf } from '../../../src/lib/digest.ts'
import { writeTinyLayout } from '../../support/tiny-layout.ts'

let scratch: string
let layout: string
let written: Awaited<ReturnType<typeof writeTinyLayout>>

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-read-layout-'))
  layout = path.join(scratch, 'layout')
  written = await writeTinyLayout(layout, [{ 'etc/one': '1' }, { 'etc/two': '2' }], {
    'io.slipway.release': '1.0.0',
  })
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

function blobFile(directory: string, digest: `sha256:${string}`): string {
  return path.join(directory, 'blobs', 'sha256', hexOf(digest))
}

async function damagedCopy(name: string): Promise<string> {
  const copy = path.join(scratch, name)
  await cp(layout, copy, { recursive: true })
  return copy
}

describe('readLayout', () => {
  it('opens the image of a platform through nested indexes', async () => {
    const image = await readLayout(layout, 'linux/amd64')
    expect({
      ...image,
      open: undefined,
      layers: image.layers.map(({ digest, size }) => ({ digest, size })),
    }).toEqual({
      platform: 'linux/amd64',
      manifest: written.manifest,
      config: written.config,
      layers: written.layers.map(({ digest, size }) => ({ digest, size })),
      labels: { 'io.slipway.release': '1.0.0' },
      open: undefined,
    })
  })

  it("streams a blob's own bytes", async () => {
    const image = await readLayout(layout, 'linux/amd64')
    const bytes = await readFile(blobFile(layout, written.layers[0]!.digest))
    expect(await buffer(image.open(image.layers[0]!))).toEqual(bytes)
  })

  it('refuses a directory that is no layout, and a platform that it does not hold', async () => {
    await expect(readLayout(scratch, 'linux/amd64')).rejects.toThrow(
      `${scratch} is no OCI image layout (it has no index.json); \`slipway build\` makes one.`,
    )
    await expect(readLayout(layout, 'linux/arm64')).rejects.toThrow(
      `${layout} holds no image for linux/arm64 (it has linux/amd64); \`slipway build --platform linux/arm64\` makes one.`,
    )
  })

  it('refuses a manifest whose bytes are not those of its digest', async () => {
    const copy = await damagedCopy('bad-manifest')
    const file = blobFile(copy, written.manifest.digest)
    await writeFile(file, (await readFile(file, 'utf8')).replace('schemaVersion":2', 'schemaVersion":3'))
    await expect(readLayout(copy, 'linux/amd64')).rejects.toThrow(
      `${file} is damaged: its bytes do not have the digest of its name; \`slipway build\` writes the layout anew.`,
    )
  })

  it.each(['flipped', 'truncated', 'longer'])('fails at the end of a %s layer', async (kind) => {
    const copy = await damagedCopy(kind)
    const file = blobFile(copy, written.layers[1]!.digest)
    const bytes = await readFile(file)
    const damaged = {
      flipped: Buffer.from(bytes.map((byte, index) => (index === 20 ? byte ^ 1 : byte))),
      truncated: bytes.subarray(0, -1),
      longer: Buffer.concat([bytes, bytes]),
    }[kind]!
    await writeFile(file, damaged)
    const image = await readLayout(copy, 'linux/amd64')
    await expect(buffer(image.open(image.layers[1]!))).rejects.toThrow(
      `${file} is damaged: its bytes do not have the digest of its name; \`slipway build\` writes the layout anew.`,
    )
  })

  it('says which blob is missing', async () => {
    const copy = await damagedCopy('missing')
    const file = blobFile(copy, written.layers[1]!.digest)
    await rm(file)
    const image = await readLayout(copy, 'linux/amd64')
    await expect(buffer(image.open(image.layers[1]!))).rejects.toThrow(
      `${file} is missing; \`slipway build\` writes the layout anew.`,
    )
  })

  it('reads no path out of a digest', async () => {
    const copy = await damagedCopy('hostile')
    const digest = 'sha256:../../../../../../etc/passwd'
    const index = { schemaVersion: 2, manifests: [{ mediaType: 'x', digest, size: 1 }] }
    await writeFile(path.join(copy, 'index.json'), JSON.stringify(index))
    await expect(readLayout(copy, 'linux/amd64')).rejects.toThrow(
      `${copy} names a blob "${digest}", which is no SHA-256 digest; \`slipway build\` writes the layout anew.`,
    )
  })
})
