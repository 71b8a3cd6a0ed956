import { createHash } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { readTar } from '../../../src/debian/tar-reader.ts'
import { compress } from '../../../src/image/compress.ts'
import { FileTree } from '../../../src/image/file-tree.ts'
import { assembleLayer, layerEntries } from '../../../src/image/layer.ts'
import { openLayerCache } from '../../../src/image/layer-cache.ts'
import type { Entry } from '../../../src/image/tree.ts'
import { startWorkers } from '../../../src/image/workers.ts'
import { testFolder } from '../../support/test-folder.ts'

const base = { mode: 0o644, uid: 0, gid: 0, mtime: 5 }
const file = (name: string, content: Uint8Array): Entry => ({ ...base, path: name, type: 'file', content })
const sha256 = (data: Uint8Array) => `sha256:${createHash('sha256').update(data).digest('hex')}`
const here = async (pieces: readonly Uint8Array[]) => compress({ kind: 'compress', pieces })

describe('assembleLayer', () => {
  const workers = startWorkers()
  afterAll(() => workers.close())
  // More than one gzip member, and not the same over and over.
  const large = Buffer.from(Array.from({ length: 5_000_000 }, (_, index) => (index * index) >> 7))

  it('gives one blob of several gzip members that unpacks to the tar that the diffID names', async () => {
    const layer = await assembleLayer('base', [file('large', large)], here)
    const blob = Buffer.concat(layer.blob)
    const tar = gunzipSync(blob)
    expect([layer.digest, layer.diffID, layer.size]).toEqual([sha256(blob), sha256(tar), blob.length])
    expect(layer.blob.length).toBe(3)
    expect(Buffer.from(readTar(tar)[0]!.content!).equals(large)).toBe(true)
  })

  it('gives the same bytes in threads as in this one', async () => {
    const entries = [file('large', large), file('small', Buffer.from('s'))]
    const one = await assembleLayer('base', entries, here)
    const other = await assembleLayer('base', entries, workers.compress)
    expect({ ...other, blob: sha256(Buffer.concat(other.blob)) }).toEqual({
      ...one,
      blob: sha256(Buffer.concat(one.blob)),
    })
  })

  it('holds no time and no name in the gzip header', async () => {
    const layer = await assembleLayer('base', [file('a', Buffer.from('a'))], here)
    expect(Buffer.from(layer.blob[0]!.subarray(0, 10)).toString('hex')).toBe('1f8b08000000000004ff')
  })
})

describe('layerEntries', () => {
  it('name every parent with the mode it has in the layer below', () => {
    const secret: Entry = { ...base, path: 'var/secret', type: 'directory', mode: 0o700 }
    const lower = new Map([
      ['var', { ...base, path: 'var', type: 'directory', mode: 0o755 } as Entry],
      ['var/secret', secret],
    ])
    const tree = new FileTree([lower], 9)
    tree.put(file('var/secret/key', Buffer.from('k')))
    expect(layerEntries(tree)).toEqual([
      file('var/secret/key', Buffer.from('k')),
      { ...base, path: 'var', type: 'directory', mode: 0o755 },
      secret,
    ])
  })
})

describe('the layer cache', () => {
  const fresh = async () => {
    const folder = await testFolder('layers')
    const cache = openLayerCache(folder)
    const entries = [file('etc/passwd', Buffer.from('root\n')), file('usr/bin/big', Buffer.from('x'))]
    const layer = await assembleLayer('base', entries, here)
    return { folder, cache, layer, entries, stored: await cache.store('key', layer, entries) }
  }

  it('finds what it stored, with the texts that layers above change often', async () => {
    const { cache, stored, layer } = await fresh()
    const found = await cache.find('key')
    const { tree: _tree, ...facts } = found!
    const { blob: _blob, ...expected } = layer
    expect(facts).toEqual({ ...expected, file: stored.file })
    const tree = await found!.tree()
    expect([...tree!.keys()]).toEqual(['etc/passwd', 'usr/bin/big'])
    await rm(stored.file)
    expect(tree!.get('etc/passwd')).toEqual(file('etc/passwd', Buffer.from('root\n')))
    expect(tree!.get('usr/bin/big')).toMatchObject({ ...base, path: 'usr/bin/big', type: 'file' })
  })

  it('gives a layer above the bytes and the capability of every file', async () => {
    const cache = openLayerCache(await testFolder('layers'))
    const able = { ...file('usr/bin/able', Buffer.from([0, 255])), capability: Buffer.from([1, 2]) }
    const entries = [able, file('usr/bin/empty', Buffer.alloc(0))]
    const { tree } = await cache.store('key', await assembleLayer('base', entries, here), entries)
    const read = (await tree())!
    expect({ ...read.get('usr/bin/able')! }).toEqual(able)
    expect(read.get('usr/bin/empty')!.content).toEqual(Buffer.alloc(0))
  })

  it('does not hand out a blob whose bits were flipped or that was cut short', async () => {
    const { cache, stored } = await fresh()
    const blob = await readFile(stored.file)
    blob[20] = blob[20]! ^ 1
    await writeFile(stored.file, blob)
    expect(await cache.find('key')).toBeUndefined()
    await writeFile(stored.file, blob.subarray(0, 30))
    expect(await cache.find('key')).toBeUndefined()
  })

  it('is silent about a descriptor that is no JSON, and leaves no temporary files', async () => {
    const { folder, cache } = await fresh()
    expect((await readdir(folder)).sort()).toEqual(['key.json', 'key.tar.gz', 'key.tree.json'])
    await writeFile(path.join(folder, 'key.json'), '{"name":')
    expect(await cache.find('key')).toBeUndefined()
  })
})
