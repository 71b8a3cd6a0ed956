import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BundledFile, type BundleManifest, blobPath } from '../../../src/bundle/format.ts'
import { type OpenOptions, openBundle } from '../../../src/bundle/open-bundle.ts'
import { signBytes } from '../../../src/bundle/sign.ts'
import { digestOf, hexOf } from '../../../src/lib/digest.ts'
import { again, refusalOf } from '../../support/refusal.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import {
  collect,
  otherKeyId,
  otherPublicKey,
  putTogether,
  seal,
  type TinyEntry,
  takeApart,
  tinyContent,
  tinyKey,
  tinyKeyId,
  tinyLayer,
  tinyPublicKey,
  writeTinyBundle,
  writeUnsigned,
} from '../../support/tiny-bundle.ts'

const trusted: OpenOptions = { keys: [tinyPublicKey] }
let scratch: Scratch
let bundle: Buffer
let entries: TinyEntry[]

beforeAll(async () => {
  scratch = await makeScratch('bundle')
  bundle = await readFile(await writeTinyBundle(scratch.path))
  entries = takeApart(bundle)
})
afterAll(() => scratch.remove())

/** Code and sentence with which these bytes are refused. */
async function refusal(bytes: Uint8Array, options: OpenOptions = trusted): Promise<[string, string]> {
  const file = path.join(scratch.path, 'tiny.tar')
  await writeFile(file, bytes)
  return refusalOf(file, options)
}

function change(at: (entry: TinyEntry) => boolean, to: (entry: TinyEntry) => TinyEntry): TinyEntry[] {
  return entries.map((entry) => (at(entry) ? to(entry) : entry))
}

const named =
  (name: string) =>
  ({ path }: TinyEntry): boolean =>
    path === name
const text = (path: string, content: string): TinyEntry => ({ path, bytes: Buffer.from(content) })

describe('a signed bundle', () => {
  it('opens by its key: images by ID, the product, and blobs whose bytes are checked as they pass', async () => {
    const file = path.join(scratch.path, 'good.tar')
    await writeFile(file, bundle)
    const opened = await openBundle(file, { ...trusted, platform: 'linux/amd64' })
    const image = opened.image('appliance')!
    const layer = await collect(image.open(image.layers[1]!))
    await opened.close()
    const { manifest } = opened
    expect({
      key: opened.key,
      kind: manifest.kind,
      product: [...opened.product.keys()],
      ids: manifest.images.map(({ role, reference, config }) => [
        role,
        reference,
        config.digest === image.config.digest,
      ]),
      layer: digestOf(layer) === image.layers[1]!.digest,
    }).toEqual({
      key: tinyKeyId,
      kind: 'full',
      product: ['product/appliance.yaml', 'product/profiles/site.yaml', 'product/appliance.lock'],
      ids: [
        ['appliance', 'tiny:1.0.0', true],
        ['installer', 'tiny-installer:1.0.0', false],
      ],
      layer: true,
    })
  })

  it('begins with the installer image alone, as docker load reads it, and holds a shared layer once', () => {
    const [first] = JSON.parse(entries[0]!.bytes.toString())
    const start = entries.slice(0, 1 + 1 + first.Layers.length).map((entry) => entry.path)
    expect(start).toEqual(['manifest.json', first.Config, ...first.Layers])
    expect(first.RepoTags).toEqual(['tiny-installer:1.0.0'])
    expect(entries[start.length]!.path).toBe('bundle.json')
    expect(new Set(entries.map((entry) => entry.path)).size).toBe(entries.length)
  })

  it('is refused whichever of its bytes is flipped, also where the Engine has its layers', async () => {
    const stored = (await readImages()).map(({ layers }) => layers.map(({ diffId }) => diffId))
    const flips = [fc.nat(bundle.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean()] as const
    await fc.assert(
      fc.asyncProperty(...flips, async (at, flip, has) => {
        const flipped = Buffer.from(bundle)
        flipped[at]! ^= flip
        const [code] = await refusal(flipped, { ...trusted, ...(has && { stored }) })
        expect(code).toMatch(/^[a-z]+(-[a-z]+)+$/)
      }),
      { numRuns: 400 },
    )
  })

  it('is refused for a changed byte of a layer also where that unpacks to the same', async () => {
    const [layer] = (await readImages())[0]!.layers
    // The date in its gzip header.
    const dated = change(named(blobPath(layer!.digest)), ({ path, bytes }) => {
      const altered = Buffer.from(bytes)
      altered[4]! ^= 1
      return { path, bytes: altered }
    })
    expect(await refusal(putTogether(dated))).toEqual([
      'damaged-bundle',
      `tiny.tar is refused: "${blobPath(layer!.digest)}" has another checksum than its bundle.json says. ${again}`,
    ])
  })

  it('that becomes another between its check and its load gives no layer to its end', async () => {
    const file = path.join(scratch.path, 'changing.tar')
    await writeFile(file, bundle)
    const opened = await openBundle(file, trusted)
    const image = opened.image('appliance')!
    const member = blobPath(image.layers[0]!.digest)
    const changed = Buffer.from(bundle)
    changed[bundle.indexOf(entries.find(named(member))!.bytes) + 20]! ^= 1
    await writeFile(file, changed)
    try {
      await expect(image.open(image.layers[0]!).toArray()).rejects.toMatchObject({
        code: 'damaged-bundle',
        message: `changing.tar is refused: its ${member} changed while it was read. ${again}`,
      })
    } finally {
      await opened.close()
    }
  })

  it('is refused wherever it is cut off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bundle.length - 1), async (length) => {
        expect((await refusal(bundle.subarray(0, length)))[0]).toMatch(/^(damaged|no)-bundle$/)
      }),
      { numRuns: 100 },
    )
  })
})

describe('who signed', () => {
  it('a bundle that another key signed is refused, with both IDs', async () => {
    expect(await refusal(bundle, { keys: [otherPublicKey] })).toEqual([
      'other-key',
      `tiny.tar is refused: it is signed by the key ${tinyKeyId}, and the one to check with is ${otherKeyId}. ${again}`,
    ])
  })

  it('a signed bundle is not taken where no key is at hand, --allow-unsigned or not', async () => {
    const sentence = `tiny.tar is signed by ${tinyKeyId}, and no key was given to check that with; name the vendor's public key with --key PUB or in SLIPWAY_KEY.`
    expect(await refusal(bundle, { keys: [] })).toEqual(['no-key', sentence])
    expect(await refusal(bundle, { keys: [], allowUnsigned: true })).toEqual(['no-key', sentence])
  })

  it('an unsigned bundle is refused, unless that is allowed', async () => {
    const file = await writeUnsigned(scratch.path, await tinyContent(scratch.path))
    const unsigned = await readFile(file)
    expect(await refusal(unsigned)).toEqual([
      'unsigned-bundle',
      `tiny.tar is refused: nobody signed it; --allow-unsigned is the only way round this. ${again}`,
    ])
    const opened = await openBundle(file, { keys: [tinyPublicKey], allowUnsigned: true })
    await opened.close()
    expect(opened.key).toBeUndefined()
  })

  it('of an unsigned bundle every layer is unpacked, also what an install will not load', async () => {
    const unsigned = takeApart(
      await readFile(await writeUnsigned(scratch.path, await tinyContent(scratch.path))),
    )
    const smaller = seal(unsigned, (manifest) => ({
      ...manifest,
      images: manifest.images.map((image) => ({
        ...image,
        layers: image.layers.map((layer) =>
          layer.name === 'installer-slipway' ? { ...layer, unpacked: 512 } : layer,
        ),
      })),
    }))
    expect(await refusal(putTogether(smaller), { keys: [], allowUnsigned: true, stored: [] })).toEqual([
      'unsafe-bundle',
      `tiny.tar is refused: the layer installer-slipway unpacks to more than the 512 bytes that it may. ${again}`,
    ])
  })

  it('a bundle that names another trusted key than the one that signed it is refused', async () => {
    const claimed = putTogether(seal(entries, (manifest) => ({ ...manifest, key: otherKeyId })))
    expect(await refusal(claimed, { keys: [tinyPublicKey, otherPublicKey] })).toEqual([
      'bad-signature',
      `tiny.tar is refused: bundle.json or its signature was altered after it was signed. ${again}`,
    ])
  })

  it('a wrong signature is refused, allowed or not', async () => {
    const altered = change(named('bundle.json'), ({ path, bytes }) =>
      text(path, bytes.toString().replace('Sons', 'Suns')),
    )
    const sentence = `tiny.tar is refused: bundle.json or its signature was altered after it was signed. ${again}`
    for (const allowUnsigned of [false, true])
      expect(await refusal(putTogether(altered), { ...trusted, allowUnsigned })).toEqual([
        'bad-signature',
        sentence,
      ])
  })

  it('a signature that was taken away is refused, allowed or not', async () => {
    const without = putTogether(entries.filter(({ path }) => path !== 'bundle.json.sig'))
    const sentence = `tiny.tar is refused: its signature is missing. ${again}`
    for (const allowUnsigned of [false, true])
      expect(await refusal(without, { ...trusted, allowUnsigned })).toEqual(['bad-signature', sentence])
  })

  it('no other spelling of the right signature is taken', async () => {
    const spelt = change(named('bundle.json.sig'), ({ path, bytes }) => text(path, `${bytes.toString()}\n`))
    expect((await refusal(putTogether(spelt)))[0]).toBe('bad-signature')
  })
})

describe('a bundle for another program or place', () => {
  it('a newer format is refused, whoever signed it', async () => {
    const newer = seal(entries, (manifest) => ({ ...manifest, format: 2 }))
    expect(await refusal(putTogether(newer), { keys: [] })).toEqual([
      'newer-bundle',
      'tiny.tar is a bundle of format 2, and this program reads format 1; nothing was loaded. Take the newer installer that came with it.',
    ])
  })

  it('another platform is refused', async () => {
    expect(await refusal(bundle, { ...trusted, platform: 'linux/arm64' })).toEqual([
      'wrong-platform',
      'tiny.tar is for linux/amd64, and this Engine runs linux/arm64; nothing was loaded. Take the bundle for linux/arm64.',
    ])
  })

  it.each([
    ['an empty file', Buffer.alloc(0), 'it is no bundle'],
    ['text', Buffer.from('Not found\n'.repeat(100)), 'it is no bundle'],
    ['another tar', putTogether([text('readme', 'hello')]), 'it is no bundle: it holds no bundle.json'],
  ])('%s is no bundle', async (_, bytes, reason) => {
    expect(await refusal(bytes)).toEqual(['no-bundle', `tiny.tar is refused: ${reason}. ${again}`])
  })
})

describe('a tar that is not as it must be', () => {
  const extra = (name: string, typeflag?: string): TinyEntry[] => [
    ...entries,
    { ...text(name, ''), ...(typeflag && { header: (header) => header.write(typeflag, 156) }) },
  ]
  it.each([
    [
      'a path that climbs',
      () => extra('../../etc/cron.d/x'),
      'it holds "../../etc/cron.d/x", which leads out of it',
    ],
    [
      'a path that climbs within',
      () => extra('product/../../x'),
      'it holds "product/../../x", which leads out of it',
    ],
    ['an absolute path', () => extra('/etc/passwd'), 'it holds "/etc/passwd", which is no path within it'],
    ['a drive letter', () => extra('C:/Windows/x'), 'it holds "C:/Windows/x", which is no path within it'],
    ['a backslash', () => extra('product\\x'), 'it holds "product\\\\x", which is no path within it'],
    ['a control character', () => extra('a\u001b[2J'), 'it holds "a\\u001b[2J", which is no plain path'],
    ['a symbolic link', () => extra('product/x', '2'), 'it holds "product/x", which is a symbolic link'],
    ['a hard link', () => extra('product/x', '1'), 'it holds "product/x", which is a hard link'],
    ['a device', () => extra('product/x', '3'), 'it holds "product/x", which is a device'],
    ['a pipe', () => extra('product/x', '6'), 'it holds "product/x", which is a pipe'],
    ['a folder', () => extra('product/x', '5'), 'it holds "product/x", which is a folder'],
    ['a pax header', () => extra('product/x', 'x'), 'it holds "product/x", which is no plain file'],
    ['a path twice', () => extra('README.md'), 'it holds "README.md" twice'],
    [
      'a file too many',
      () => extra('product/x'),
      'it holds "product/x", which its bundle.json does not name',
    ],
  ])('%s is unsafe', async (_, made, reason) => {
    expect(await refusal(putTogether(made()))).toEqual([
      'unsafe-bundle',
      `tiny.tar is refused: ${reason}. ${again}`,
    ])
  })

  it.each([
    [
      'a file that is missing',
      () => putTogether(entries.filter(({ path }) => path !== 'provenance.json')),
      '"provenance.json" is missing from it',
    ],
    [
      'a file of another size',
      () => putTogether(change(named('README.md'), ({ path }) => text(path, 'hello'))),
      '"README.md" has 5 bytes, and its bundle.json says 11',
    ],
    [
      'a file of other bytes',
      () => putTogether(change(named('README.md'), ({ path }) => text(path, '# Tiny Bug\n'))),
      '"README.md" has another checksum than its bundle.json says',
    ],
    [
      'files in another order',
      () => putTogether([...entries.slice(0, -2), entries.at(-1)!, entries.at(-2)!]),
      '"README.md" stands where "provenance.json" must',
    ],
    ['something behind it', () => Buffer.concat([bundle, Buffer.alloc(512)]), 'something follows its end'],
    ['a lost end', () => bundle.subarray(0, -512), `it is cut off at byte ${'@'}, at its end`],
  ])('%s is damage', async (_, made, reason) => {
    const bytes = made()
    const sentence = `tiny.tar is refused: ${reason.replace('@', String(bytes.length))}. ${again}`
    expect(await refusal(bytes)).toEqual(['damaged-bundle', sentence])
  })
})

describe('a bundle that its own vendor signed wrongly', () => {
  it.each([
    [
      'is not JSON',
      () => 'nonsense',
      'bundle.json is no manifest of a bundle: the file is "nonsense", not an object',
    ],
    [
      'lacks a key',
      ({ images: _, ...rest }: BundleManifest) => rest,
      'bundle.json is no manifest of a bundle: the file has no images',
    ],
    [
      'has no appliance',
      (manifest: BundleManifest) => ({ ...manifest, images: manifest.images.slice(1) }),
      'bundle.json is no manifest of a bundle: images does not hold one appliance',
    ],
    [
      'names other diff IDs',
      (manifest: BundleManifest) => withLayer(manifest, { diffId: `sha256:${'a'.repeat(64)}` }),
      'the layer brand unpacks to something else than its bundle.json says',
    ],
    [
      'names a blob that it does not hold',
      (manifest: BundleManifest) => ({
        ...manifest,
        images: manifest.images.map((image) => ({
          ...image,
          config: { digest: `sha256:${'b'.repeat(64)}`, size: 3 },
        })),
      }),
      'manifest.json does not name the installer image',
    ],
  ])('whose bundle.json %s is refused', async (_, made, reason) => {
    const bytes = putTogether(seal(entries, (manifest) => made(manifest as BundleManifest)))
    expect(await refusal(bytes)).toEqual(['bad-bundle', `tiny.tar is refused: ${reason}. ${again}`])
  })

  it('whose bundle.json is not JSON is refused', async () => {
    const bytes = Buffer.from('{"format":1')
    const made: Record<string, Buffer> = {
      'bundle.json': bytes,
      'bundle.json.sig': Buffer.from(`${signBytes(tinyKey, bytes)}\n`),
    }
    const wrong = entries.map((entry) => ({ ...entry, bytes: made[entry.path] ?? entry.bytes }))
    expect(await refusal(putTogether(wrong))).toEqual([
      'bad-bundle',
      `tiny.tar is refused: bundle.json is not JSON. ${again}`,
    ])
  })

  it('a blob that no image names is refused', async () => {
    const bytes = Buffer.from('hidden')
    const hidden = { path: `blobs/sha256/${hexOf(digestOf(bytes))}`, bytes }
    expect(await refusal(putTogether(seal([...entries, hidden])))).toEqual([
      'bad-bundle',
      `tiny.tar is refused: it holds the blob ${digestOf(bytes)}, which no image names. ${again}`,
    ])
  })

  it('a blob that an image names and nobody packed is refused', async () => {
    const { manifest } = (await readImages())[0]!
    const gone = entries.filter(({ path }) => path !== `blobs/sha256/${hexOf(manifest.digest)}`)
    expect(await refusal(putTogether(seal(gone)))).toEqual([
      'bad-bundle',
      `tiny.tar is refused: it lacks the blob ${manifest.digest}, which an image names. ${again}`,
    ])
  })

  it('a blob with other bytes than its path says is refused', async () => {
    const { manifest } = (await readImages())[0]!
    const at = `blobs/sha256/${hexOf(manifest.digest)}`
    const wrong = change(named(at), ({ path }) => text(path, '{}'))
    expect(await refusal(putTogether(seal(wrong)))).toEqual([
      'bad-bundle',
      `tiny.tar is refused: the blob ${at} has another digest than its path says. ${again}`,
    ])
  })

  it('a layer that unpacks to more than it says is stopped there', async () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20))
    const content = await tinyContent(scratch.path)
    const [appliance, installer] = content.images
    const layer = await tinyLayer(scratch.path, 'brand', [{ path: 'x', content: '' }])
    await writeFile(layer.file, bomb)
    const hidden = { ...layer, digest: digestOf(bomb), size: bomb.length }
    const lying = { ...appliance!.image, layers: [appliance!.image.layers[0]!, hidden] }
    const packing = writeUnsigned(scratch.path, {
      ...content,
      images: [{ ...appliance!, image: lying }, installer!],
    })
    await expect(packing).rejects.toThrow('The cached layer brand is damaged')

    const at = `blobs/sha256/${hexOf((await readImages())[0]!.layers[1]!.digest)}`
    const path = `blobs/sha256/${hexOf(digestOf(bomb))}`
    const made = change(named(at), () => ({ path, bytes: bomb }))
    const sealed = seal(made, (manifest) =>
      withLayer(manifest, { digest: digestOf(bomb), size: bomb.length }),
    )
    expect(await refusal(putTogether(sealed))).toEqual([
      'unsafe-bundle',
      `tiny.tar is refused: the layer brand unpacks to more than the 2048 bytes that it may. ${again}`,
    ])
  })

  it('a layer that says that it unpacks to more than any may is not even begun', async () => {
    const sealed = seal(entries, (manifest) => withLayer(manifest, { unpacked: 2 ** 40 }))
    expect(await refusal(putTogether(sealed))).toEqual([
      'unsafe-bundle',
      `tiny.tar is refused: it holds layers that unpack to more than 17.2 GB. ${again}`,
    ])
  })

  it.each([
    [
      'another version',
      { libc6: '2.41-13' },
      'its lock is not that of the appliance image: the lock has libc6 2.41-13, and the image has 2.41-12',
    ],
    [
      'a package more',
      { libc6: '2.41-12', zlib1g: '1.3' },
      'its lock is not that of the appliance image: the lock has zlib1g 1.3, and the image does not',
    ],
    [
      'a package less',
      {},
      'its lock is not that of the appliance image: the lock does not have libc6 2.41-12, and the image does',
    ],
  ])('a lock with %s than the image is refused', async (_, locked, reason) => {
    const file = await writeTinyBundle(scratch.path, { locked: locked as Record<string, string> })
    expect(await refusal(await readFile(file))).toEqual([
      'wrong-lock',
      `tiny.tar is refused: ${reason}. ${again}`,
    ])
  })

  it('a lock with other packages is refused also where the Engine has every layer', async () => {
    const file = await writeTinyBundle(scratch.path, { locked: {} })
    const stored = (await readImages()).map(({ layers }) => layers.map(({ diffId }) => diffId))
    expect((await refusal(await readFile(file), { ...trusted, stored }))[0]).toBe('wrong-lock')
  })

  it('a lock that is none is refused', async () => {
    const wrong = change(named('product/appliance.lock'), ({ path }) => text(path, '{"lockVersion":1}'))
    const [code, sentence] = await refusal(putTogether(seal(wrong)))
    expect(code).toBe('wrong-lock')
    expect(sentence).toMatch(/^tiny\.tar is refused, nothing was loaded: product\/appliance\.lock /)
  })
})

async function readImages(): Promise<BundleManifest['images']> {
  return (JSON.parse(entries.find(named('bundle.json'))!.bytes.toString()) as BundleManifest).images
}

/** Changes what is said of the appliance's brand layer. */
function withLayer(manifest: BundleManifest, change: object): BundleManifest {
  const [appliance, ...rest] = manifest.images
  const layers = appliance!.layers.map((layer) => (layer.name === 'brand' ? { ...layer, ...change } : layer))
  const files: BundledFile[] = [...manifest.files]
  return { ...manifest, files, images: [{ ...appliance!, layers }, ...rest] }
}
