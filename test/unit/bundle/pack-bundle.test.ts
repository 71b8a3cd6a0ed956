import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBundle } from '../../../src/bundle/open-bundle.ts'
import { packBundle } from '../../../src/bundle/pack-bundle.ts'
import { readBase, type UpdateBase } from '../../../src/bundle/update-base.ts'
import { sha256Hex } from '../../../src/lib/digest.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import {
  collect,
  otherKey,
  otherPublicKey,
  takeApart,
  tinyContent,
  tinyKey,
  tinyPublicKey,
  writeTinyBundle,
} from '../../support/tiny-bundle.ts'

let scratch: Scratch
let base: UpdateBase

beforeAll(async () => {
  scratch = await makeScratch('pack')
  base = await readBase(await writeTinyBundle(scratch.path), tinyKey)
})
afterAll(() => scratch.remove())

describe('packing', () => {
  it.each([
    ['ed25519', tinyKey],
    ['P-256', otherKey],
  ])('the same content gives the same bytes, as long as it says: %s', async (_, key) => {
    const first = await packBundle(await tinyContent(scratch.path), key)
    const second = await packBundle(await tinyContent(scratch.path), key)
    const bytes = await collect(first.bytes())
    expect(bytes.equals(await collect(second.bytes()))).toBe(true)
    expect(bytes.length).toBe(first.size)
  })

  it('tells install.sh how many bytes docker load takes, and their SHA-256', async () => {
    const { facts, bytes, manifest } = await packBundle(await tinyContent(scratch.path), tinyKey)
    const prefix = (await collect(bytes())).subarray(0, facts.prefix.size)
    const installer = manifest.images.find(({ role }) => role === 'installer')!
    expect(takeApart(Buffer.concat([prefix, Buffer.alloc(512)])).map((entry) => entry.path).length).toBe(4)
    expect(facts).toEqual({
      product: manifest.product,
      platform: 'linux/amd64',
      kind: 'full',
      bundle: 'tiny-1.0.0-linux-amd64.tar',
      prefix: { size: manifest.prefix.size, sha256: sha256Hex(prefix) },
      installer: {
        reference: 'tiny-installer:1.0.0',
        ids: [installer.config.digest, installer.manifest.digest],
        layers: installer.layers.map(({ diffId }) => diffId),
      },
    })
  })

  it('an update leaves out what the older bundle has, and opens by itself', async () => {
    const content = await tinyContent(scratch.path, { version: '1.1.0', since: base })
    const update = await packBundle(content, tinyKey)
    const { manifest, facts } = update
    const file = path.join(scratch.path, update.name)
    await writeFile(file, await collect(update.bytes()))
    const opened = await openBundle(file, { keys: [tinyPublicKey] })
    const image = opened.image('appliance')!
    const bringing = image.bring!(image.layers)
    await expect(bringing).rejects.toThrow(
      'tiny-1.1.0-linux-amd64-since-1.0.0.tar holds only what changed since Tiny Box 1.0.0, which this Engine does not have; install the full bundle of 1.1.0 instead.',
    )
    await image.bring!(image.layers.filter(({ absent }) => !absent))
    await opened.close()
    expect({
      name: update.name,
      since: manifest.since?.version,
      absent: manifest.images.map(({ layers }) => layers.map(({ name, absent = false }) => [name, absent])),
      // The installer is the very same: a host has it, and nothing of it is loaded.
      prefix: facts.prefix.size,
      blobs: manifest.files.filter((one) => one.path.startsWith('blobs/')).length,
    }).toEqual({
      name: 'tiny-1.1.0-linux-amd64-since-1.0.0.tar',
      since: '1.0.0',
      absent: [
        [
          ['base', true],
          ['brand', false],
        ],
        [
          ['base', true],
          ['installer-slipway', true],
        ],
      ],
      prefix: 0,
      blobs: 5,
    })
  })

  it('a layer above one that changed goes along: an Engine keeps stacks of layers', async () => {
    const content = await tinyContent(scratch.path, {
      version: '1.1.0',
      brand: [{ path: 'etc/motd', content: 'tiny 1.0.0\n' }],
      base: [{ path: 'new', content: 'new' }],
      since: base,
    })
    const { manifest } = await packBundle(content, tinyKey)
    expect(manifest.images.flatMap(({ layers }) => layers).some(({ absent }) => absent)).toBe(false)
  })

  it('an update whose lock is not that of the layers left out is refused', async () => {
    const locked = { libc6: '2.41-13' }
    const content = await tinyContent(scratch.path, { version: '1.1.0', since: base, locked })
    const update = await packBundle(content, tinyKey)
    const file = path.join(scratch.path, update.name)
    await writeFile(file, await collect(update.bytes()))
    await expect(openBundle(file, { keys: [tinyPublicKey] })).rejects.toThrow(
      'its lock is not that of the appliance image: the lock lists other packages than the image has',
    )
  })

  it('an update that nobody signs is built upon a bundle that a known key signed, and upon no other', async () => {
    const file = await writeTinyBundle(scratch.path)
    expect((await readBase(file, undefined, [tinyPublicKey])).manifest).toEqual(base.manifest)
    await expect(readBase(file, undefined, [otherPublicKey])).rejects.toMatchObject({ code: 'other-key' })
  })

  it('an update is not built upon a bundle that another key signed', async () => {
    const file = await writeTinyBundle(scratch.path, { name: 'other' }, otherKey)
    const error = await readBase(file, tinyKey).catch((thrown: unknown) => thrown)
    expect(error instanceof SlipwayError && error.code).toBe('other-key')
    expect((await readFile(file)).length).toBeGreaterThan(0)
  })
})
