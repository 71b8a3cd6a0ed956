import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type BundledImage,
  type BundleManifest,
  blobPath,
  manifestName,
  signatureName,
} from '../../../src/bundle/format.ts'
import { dockerManifestFile, indexFile } from '../../../src/bundle/layout-files.ts'
import { type OpenOptions, openBundle } from '../../../src/bundle/open-bundle.ts'
import type { ImageConfig, Manifest } from '../../../src/image/oci.ts'
import { digestOf } from '../../../src/lib/digest.ts'
import { exitCodes, SlipwayError } from '../../../src/lib/errors.ts'
import { again, refusalOf } from '../../support/refusal.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import {
  collect,
  putTogether,
  seal,
  type TinyEntry,
  takeApart,
  tinyContent,
  tinyPublicKey,
  writeTinyBundle,
  writeUnsigned,
} from '../../support/tiny-bundle.ts'
import { makeTar } from '../../support/tiny-tar.ts'

interface Change {
  readonly manifest?: (json: Manifest) => unknown
  readonly config?: (json: ImageConfig) => unknown
}

const trusted: OpenOptions = { keys: [tinyPublicKey] }
const hex = 'a'.repeat(64)
let scratch: Scratch
let entries: TinyEntry[]
let said: BundleManifest

beforeAll(async () => {
  scratch = await makeScratch('hostile')
  entries = takeApart(await readFile(await writeTinyBundle(scratch.path)))
  said = JSON.parse(entries.find(({ path }) => path === manifestName)!.bytes.toString())
})
afterAll(() => scratch.remove())

async function refusal(wrong: readonly TinyEntry[], options = trusted): Promise<[string, string]> {
  return refusalOf(await written(wrong), options)
}

async function written(made: readonly TinyEntry[]): Promise<string> {
  const file = path.join(scratch.path, 'tiny.tar')
  await writeFile(file, putTogether(made))
  return file
}

const sentence = (reason: string): string => `tiny.tar is refused: ${reason}. ${again}`
const text = (path: string, content: string): TinyEntry => ({ path, bytes: Buffer.from(content) })
const without = (path: string): TinyEntry[] => entries.filter((entry) => entry.path !== path)
const replaced = (path: string, by: TinyEntry): TinyEntry[] =>
  entries.map((entry) => (entry.path === path ? by : entry))
const altered = (path: string, header: (header: Buffer) => unknown): TinyEntry[] =>
  entries.map((entry) => (entry.path === path ? { ...entry, header } : entry))

describe('a tar whose headers are not as this program writes them', () => {
  it.each([
    ['S', 'a sparse file'],
    ['L', 'a long name of GNU'],
    ['K', 'a long link of GNU'],
    ['D', 'a folder of GNU'],
    ['g', 'a pax header for all'],
    ['7', 'a contiguous file'],
  ])('typeflag %s, %s, is unsafe', async (typeflag) => {
    const odd: TinyEntry = { ...text('product/x', ''), header: (header) => header.write(typeflag, 156) }
    expect(await refusal([...entries, odd])).toEqual([
      'unsafe-bundle',
      sentence('it holds "product/x", which is no plain file'),
    ])
  })

  it.each([
    ['none', ''],
    ['with an empty part', 'product//x'],
    ['with a dot', './README.md'],
    ['of a folder', 'product/'],
  ])('a path %s is unsafe', async (_, name) => {
    expect(await refusal([...entries, text(name, '')])).toEqual([
      'unsafe-bundle',
      sentence(`it holds "${name}", which is no plain path`),
    ])
  })

  it.each([
    ['a size in binary', (header: Buffer) => header.fill(0, 124, 136).writeUInt8(0x80, 124)],
    ['a negative size in binary', (header: Buffer) => header.fill(0xff, 124, 136)],
    ['a negative size', (header: Buffer) => header.write('-0000000001', 124)],
    ['no size', (header: Buffer) => header.fill(0, 124, 136)],
    ['another format', (header: Buffer) => header.write('gnutar', 257)],
  ])('%s is damage', async (_, header) => {
    const at = putTogether(entries.slice(0, -1)).length - 1024
    expect(await refusal(altered('README.md', header))).toEqual([
      'damaged-bundle',
      sentence(`the tar header at byte ${at} is damaged`),
    ])
  })

  it('a size that reaches beyond the file is damage', async () => {
    const wrong = altered('README.md', (header) => header.write('77777777777', 124))
    const { length } = putTogether(wrong)
    expect(await refusal(wrong)).toEqual([
      'damaged-bundle',
      sentence(`it is cut off at byte ${length}, in or after "README.md"`),
    ])
  })

  it.each([
    ['an owner', (header: Buffer) => header.write('0001750', 108)],
    ['a mode', (header: Buffer) => header.write('0004755', 100)],
    ['a date', (header: Buffer) => header.write('00000000000', 136)],
    ['a link of a plain file', (header: Buffer) => header.write('/etc/passwd', 157)],
    ['text behind the path', (header: Buffer) => header.write('hidden', 50)],
    ['an old typeflag', (header: Buffer) => header.writeUInt8(0, 156)],
  ])('%s that it would not write is damage', async (_, header) => {
    expect(await refusal(altered('README.md', header))).toEqual([
      'damaged-bundle',
      sentence('the tar header of "README.md" was altered'),
    ])
  })

  it('bytes between the files, and in the end, are damage', async () => {
    const bytes = putTogether(entries)
    const file = path.join(scratch.path, 'tiny.tar')
    for (const [at, reason] of [
      [bytes.length - 1025, 'what follows "README.md" was altered'],
      [bytes.length - 1, 'its end was altered'],
    ] as const) {
      await writeFile(file, Buffer.from(bytes).fill('x', at, at + 1))
      expect(await refusalOf(file, trusted)).toEqual(['damaged-bundle', sentence(reason)])
    }
  })

  it('more files than any bundle holds are unsafe, told by their headers alone', async () => {
    const many = Array.from({ length: 4097 }, (_, index) => text(`product/${index}`, ''))
    expect(await refusal(many)).toEqual(['unsafe-bundle', sentence('it holds more than 4096 files')])
  })

  it('a bundle.json or a signature beyond all measure is not read', async () => {
    for (const [name, size] of [
      [manifestName, 8 << 20],
      [signatureName, 1024],
    ] as const)
      expect(await refusal(replaced(name, { path: name, bytes: Buffer.alloc(size + 1, '[') }))).toEqual([
        'bad-bundle',
        sentence(`${name} is larger than ${size} bytes`),
      ])
  })
})

describe('a signed bundle.json that contradicts itself', () => {
  it.each<[string, (manifest: BundleManifest) => object, string]>([
    ['an older format', () => ({ format: 0 }), 'format is 0, not 1'],
    ['an update of nothing', () => ({ kind: 'update' }), 'kind is update, and since does not fit it'],
    [
      'a whole one since another',
      () => ({ since: { version: '0.9.0', bundle: `sha256:${hex}` } }),
      'kind is full, and since does not fit it',
    ],
    [
      'two appliances',
      ({ images }) => ({ images: [images[0]!, images[0]!] }),
      'images does not hold one appliance',
    ],
    ['two installers', ({ images }) => ({ images: [...images, images[1]!] }), 'images holds a role twice'],
    [
      'a role of its own',
      ({ images }) => ({ images: [...images, { ...images[1]!, role: 'root' }] }),
      'images[2].role is "root", not one of appliance, installer',
    ],
    [
      'a beginning that never ends',
      () => ({ prefix: { files: 999, size: 0 } }),
      'prefix.files counts more files than there are',
    ],
    [
      'a layer that the whole bundle leaves out',
      ({ images }) => ({ images: [withoutLayers(images[0]!, 1), images[1]!] }),
      'a layer is absent, and kind is full',
    ],
    [
      'a date before all',
      () => ({ date: '0001-01-01T00:00:00Z' }),
      'date is 0001-01-01T00:00:00Z, which a tar cannot hold',
    ],
    [
      'a date after all',
      () => ({ date: '9999-01-01T00:00:00Z' }),
      'date is 9999-01-01T00:00:00Z, which a tar cannot hold',
    ],
    [
      'a date that is none',
      () => ({ date: '2026-99-99T00:00:00Z' }),
      'date is 2026-99-99T00:00:00Z, which a tar cannot hold',
    ],
    [
      'a name that steers a terminal',
      ({ product }) => ({ product: { ...product, vendor: '\u001b[2J' } }),
      'product.vendor is "\\u001b[2J", not a line of text',
    ],
    ['a key that steers a terminal', () => ({ '\u001b[2J': 1 }), 'the file has an unknown key \ufffd[2J'],
    [
      'a size below nothing',
      ({ prefix }) => ({ prefix: { ...prefix, size: -1 } }),
      'prefix.size is -1, not a whole number',
    ],
    [
      'a reference to a host',
      ({ images: [one, two] }) => ({ images: [{ ...one!, reference: '../x:1' }, two!] }),
      'images[0].reference is "../x:1", not a name:tag',
    ],
  ])('%s is refused', async (_, change, reason) => {
    const wrong = seal(entries, (manifest) => ({ ...manifest, ...change(manifest) }))
    expect(await refusal(wrong)).toEqual([
      'bad-bundle',
      sentence(`bundle.json is no manifest of a bundle: ${reason}`),
    ])
  })

  it('a file named twice is refused', async () => {
    const wrong = seal(entries, (manifest) => ({
      ...manifest,
      files: [...manifest.files, manifest.files.at(-1)],
    }))
    expect((await refusal(wrong))[1]).toBe(
      sentence('bundle.json is no manifest of a bundle: files holds a path twice'),
    )
  })

  it('a beginning of another size than its files have is damage', async () => {
    const { files, size } = said.prefix
    const wrong = seal(entries, (manifest) => ({ ...manifest, prefix: { files, size: size + 512 } }))
    expect(await refusal(wrong)).toEqual([
      'damaged-bundle',
      sentence(`its beginning is not the ${size + 512} bytes that bundle.json says`),
    ])
  })

  it('a layer that is two things is refused', async () => {
    const wrong = seal(entries, ({ images: [one, two], ...rest }) => {
      const [base, ...others] = two!.layers
      return { ...rest, images: [one, { ...two!, layers: [{ ...base!, unpacked: 1 }, ...others] }] }
    })
    expect(await refusal(wrong)).toEqual([
      'bad-bundle',
      sentence(`its bundle.json describes the layer ${said.images[1]!.layers[0]!.digest} in two ways`),
    ])
  })
})

describe('a bundle that is more than a host should take', () => {
  const blob = (path: string, size: number) => ({ path, size, sha256: hex })
  it.each<[string, (manifest: BundleManifest) => object, string]>([
    [
      'too many files',
      () => ({ files: Array.from({ length: 4095 }, (_, index) => blob(`${index}`, 0)) }),
      'it holds more than 4096 files',
    ],
    [
      'a large file',
      ({ files }) => ({ files: [...files, blob('product/x', 33 << 20)] }),
      'it holds "product/x", which is larger than 33.6 MB',
    ],
    [
      'large files',
      ({ files }) => ({
        files: [...files, ...['a', 'b', 'c', 'd', 'e'].map((name) => blob(name, 30 << 20))],
      }),
      'it holds files other than layers of more than 134 MB',
    ],
    [
      'layers that are together too large',
      ({ images }) => ({
        images: images.map((image) => ({
          ...image,
          layers: image.layers.map((one) => ({ ...one, unpacked: 6 * 2 ** 30 })),
        })),
      }),
      'it holds layers that unpack to more than 17.2 GB',
    ],
  ])('%s are refused before any of it is read', async (_, change, reason) => {
    const wrong = seal(entries, (manifest) => ({ ...manifest, ...change(manifest) }))
    expect(await refusal(wrong)).toEqual(['unsafe-bundle', sentence(reason)])
  })

  it.each([
    ['product/profiles/con.yaml'],
    ['product/AUX'],
    ['product/lpt1/x'],
    ['product/x.'],
    ['product/x:stream'],
    ['product/what?'],
  ])('%s, which Windows does not take, is refused', async (name) => {
    expect(await refusal(seal([...entries, text(name, '')]))).toEqual([
      'unsafe-bundle',
      sentence(`it holds "${name}", a name that not every system takes`),
    ])
  })

  it.each([
    ['Readme.md', 'README.md', 'Readme.md'],
    ['BUNDLE.JSON', 'BUNDLE.JSON', 'bundle.json'],
    ['Product/x', 'product/', 'Product/'],
    ['README.md/x', 'README.md', 'README.md/'],
    ['product', 'product/', 'product'],
  ])('%s, which is another file elsewhere, is refused', async (name, one, other) => {
    expect(await refusal(seal([...entries, text(name, '')]))).toEqual([
      'unsafe-bundle',
      sentence(`it holds "${one}" and "${other}", which not every system tells apart`),
    ])
  })

  it('is not packed either', async () => {
    const content = await tinyContent(scratch.path, { product: { 'profiles/my site.yaml': '' } })
    await expect(writeUnsigned(scratch.path, content)).rejects.toThrow(
      'tiny-1.0.0-linux-amd64.tar cannot be packed, because it holds "product/profiles/my site.yaml", a name that not every system takes; change that in the product directory and run the same command again.',
    )
  })
})

describe('a layout that names other images than bundle.json', () => {
  it.each<[string, (entries: TinyEntry[]) => TinyEntry[], string]>([
    [
      'oci-layout',
      (all) => swapped(all, 'oci-layout', '{"imageLayoutVersion":"9"}'),
      'oci-layout does not say what it must',
    ],
    [
      'index.json',
      (all) => swapped(all, 'index.json', indexFile({ ...said, images: said.images.slice(1) })),
      'index.json does not name its images',
    ],
    [
      'manifest.json',
      (all) =>
        swapped(all, 'manifest.json', dockerManifestFile({ ...said.images[1]!, reference: 'debian:latest' })),
      'manifest.json does not name the installer image',
    ],
    ['a path below blobs', (all) => [...all, text('blobs/sha512/x', '')], "blobs/sha512/x is no blob's path"],
  ])('%s is refused', async (_, change, reason) => {
    expect(await refusal(seal(change(entries)))).toEqual(['bad-bundle', sentence(reason)])
  })

  it('a beginning that is not the installer image alone is refused', async () => {
    const { files, size } = said.prefix
    const more = seal(
      entries.flatMap((entry) => (entry.path === manifestName ? [text('extra', ''), entry] : [entry])),
      (manifest) => ({
        ...manifest,
        prefix: { files: files + 1, size: size + 512 },
      }),
    )
    expect(await refusal(more)).toEqual(['bad-bundle', sentence('its beginning is not the installer image')])
  })

  it('a manifest.json that docker load would not find at the beginning is refused', async () => {
    const own = entries.slice(said.prefix.files, said.prefix.files + 2)
    const rest = entries.filter((entry) => !own.includes(entry))
    const wrong = seal([...own, ...rest], (manifest) => ({ ...manifest, prefix: { files: 0, size: 0 } }))
    expect(await refusal(wrong)).toEqual(['bad-bundle', sentence('manifest.json is not at its beginning')])
  })
})

describe('an image that is not what bundle.json says', () => {
  it.each<[string, Change, string]>([
    ['no manifest', { manifest: () => 'x' }, 'its manifest is no manifest'],
    [
      'a manifest without layers',
      { manifest: ({ layers: _, ...rest }) => rest },
      'its manifest is no manifest',
    ],
    ['no configuration', { config: () => [] }, 'its configuration is none'],
    [
      'a configuration without its middle',
      { config: ({ config: _, ...rest }) => rest },
      'its configuration is none',
    ],
    [
      'a configuration without diff IDs',
      { config: (json) => ({ ...json, rootfs: {} }) },
      'its configuration is none',
    ],
    [
      'another ID',
      { manifest: (json) => ({ ...json, config: { ...json.config, digest: `sha256:${hex}` } }) },
      'its ID is not the one that bundle.json says',
    ],
    ['no ID', { manifest: ({ config: _, ...rest }) => rest }, 'its ID is not the one that bundle.json says'],
    [
      'a layer less',
      { manifest: (json) => ({ ...json, layers: json.layers.slice(1) }) },
      'its layers are not those that bundle.json says',
    ],
    [
      'layers in another order',
      { manifest: (json) => ({ ...json, layers: json.layers.toReversed() }) },
      'its layers are not those that bundle.json says',
    ],
    [
      'layers that are nothing',
      { manifest: (json) => ({ ...json, layers: [null, null] }) },
      'its layers are not those that bundle.json says',
    ],
    [
      'a layer to be fetched from elsewhere',
      { manifest: (json) => withFirst(json, { urls: ['http://127.0.0.1/layer'] }) },
      'its layers are not those that bundle.json says',
    ],
    [
      'a layer of another size',
      { manifest: (json) => withFirst(json, { size: 1 }) },
      'its layers are not those that bundle.json says',
    ],
    [
      'a layer of another kind',
      { manifest: (json) => withFirst(json, { mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' }) },
      'its layers are not those that bundle.json says',
    ],
    [
      'other diff IDs',
      { config: (json) => ({ ...json, rootfs: { diff_ids: json.rootfs.diff_ids.toReversed() } }) },
      'its diff IDs are not those that bundle.json says',
    ],
    [
      'another platform',
      { config: (json) => ({ ...json, architecture: '\u001b[2J' }) },
      'it is for "linux/\\u001b[2J", and the bundle for linux/amd64',
    ],
  ])('%s is refused', async (_, change, reason) => {
    expect(await refusal(withAppliance(change))).toEqual([
      'bad-bundle',
      sentence(`the appliance image: ${reason}`),
    ])
  })

  it('a blob of another size is refused, of which loading would stop halfway', async () => {
    const { digest, size } = said.images[0]!.config
    const wrong = seal(entries, (manifest) => withImage(manifest, { config: { digest, size: size + 1 } }))
    expect(await refusal(wrong)).toEqual([
      'bad-bundle',
      sentence(`the blob ${digest} has ${size} bytes, and an image says ${size + 1}`),
    ])
  })

  it('an update that leaves out a layer above one that it brings is refused', async () => {
    const top = said.images[0]!.layers[1]!.digest
    const gone = without(blobPath(top))
    const wrong = seal(gone, (manifest) => ({
      ...withImage(manifest, { layers: withoutLayers(manifest.images[0]!, 1).layers }),
      kind: 'update',
      since: { version: '0.9.0', bundle: `sha256:${hex}` },
    }))
    expect(await refusal(wrong)).toEqual([
      'bad-bundle',
      sentence('the appliance image: a layer is absent above one that is there'),
    ])
  })

  it.each<[string, (image: BundledImage) => object, string]>([
    [
      'of another layer than any',
      () => ({ layer: `sha256:${hex}` }),
      'is not the one whose layer bundle.json names',
    ],
    [
      'of a layer without a package database',
      ({ layers }) => ({ layer: layers[1]!.digest }),
      'lists packages, and the image has no package database',
    ],
    ['of other packages', () => ({ sha256: hex }), 'agrees with the image, and bundle.json does not'],
  ])('a package list %s is refused', async (_, change, reason) => {
    const wrong = seal(entries, (manifest) => {
      const image = manifest.images[0]!
      return withImage(manifest, { packages: { ...image.packages, ...change(image) } })
    })
    expect(await refusal(wrong)).toEqual([
      'wrong-lock',
      sentence(`its lock is not that of the appliance image: the lock ${reason}`),
    ])
  })

  it('a lower package database than the one that the image shows is refused', async () => {
    const status = { path: 'var/lib/dpkg/status', content: 'Package: libc6\nVersion: 1\n' }
    const twice = takeApart(
      await readFile(await writeTinyBundle(scratch.path, { brand: [status], locked: { libc6: '1' } })),
    )
    const wrong = seal(twice, (manifest) => {
      const { layers, packages } = manifest.images[0]!
      return withImage(manifest, { packages: { ...packages, layer: layers[0]!.digest } })
    })
    expect((await refusal(wrong))[1]).toBe(
      sentence(
        'its lock is not that of the appliance image: the lock is not the one whose layer bundle.json names',
      ),
    )
  })
})

describe('a layer that an Engine would choke on', () => {
  const files = [{ path: 'etc/motd', content: 'tiny 1.0.0\n' }]
  it.each<[string, (tar: Buffer) => Buffer, string]>([
    [
      'followed by zeros',
      (tar) => Buffer.concat([gzipSync(tar), Buffer.alloc(4096)]),
      'cannot be unpacked to its end',
    ],
    ['followed by anything', (tar) => Buffer.concat([gzipSync(tar), Buffer.from('x')]), 'cannot be unpacked'],
    ['cut off', (tar) => gzipSync(tar).subarray(0, -1), 'cannot be unpacked'],
    ['of nothing', () => Buffer.alloc(0), 'cannot be unpacked'],
    ['packed with zstd', () => Buffer.from('28b52ffd240061000099e9d851', 'hex'), 'cannot be unpacked'],
    ['not packed', (tar) => tar, 'cannot be unpacked'],
    ['that is no tar', () => gzipSync(Buffer.alloc(1024, 'x')), 'is no tar'],
    ['with a damaged header', (tar) => gzipSync(Buffer.from(tar).fill('x', 0, 1)), 'is no tar'],
    ['with a size in binary', (tar) => gzipSync(withBinarySize(tar)), 'is no tar'],
    ['with more behind its end', (tar) => gzipSync(Buffer.concat([tar, tar])), 'is no tar'],
    ['without its end', (tar) => gzipSync(tar.subarray(0, -1024)), 'is a tar without its end'],
    ['that stops within a file', (tar) => gzipSync(tar.subarray(0, 600)), 'is a tar without its end'],
    ['that stops within a header', (tar) => gzipSync(tar.subarray(0, 200)), 'is a tar without its end'],
  ])('one %s is refused', async (_, pack, reason) => {
    const bytes = pack(await makeTar(files))
    expect(await refusal(withBrand(bytes, 1 << 20))).toEqual([
      'unsafe-bundle',
      sentence(`the layer brand ${reason}`),
    ])
  })

  it('a bomb among the layers that an Engine lacks is stopped, where it has all others', async () => {
    const stored = [[said.images[0]!.layers[0]!.diffId]]
    const wrong = withBrand(gzipSync(Buffer.alloc(16 << 20)), 1 << 20)
    expect(await refusal(wrong, { ...trusted, stored })).toEqual([
      'unsafe-bundle',
      sentence(`the layer brand unpacks to more than the ${1 << 20} bytes that it may`),
    ])
  })

  it('what is in a layer is left to the Engine: paths that lead out, links, whiteouts', async () => {
    const brand = [
      { path: '../../etc/passwd', content: 'x' },
      { path: 'etc/.wh..wh..opq', content: '' },
      { path: 'out', type: 'symlink', target: '/../../..' },
    ] as const
    const file = await writeTinyBundle(scratch.path, { brand })
    const opened = await openBundle(file, trusted)
    await opened.close()
    expect(opened.key).toBeDefined()
  })
})

describe('at random', () => {
  it('a bundle with files dropped, doubled, moved or cut is never taken', async () => {
    const at = fc.nat(entries.length - 1)
    const mutation = fc.oneof(
      fc.record({ kind: fc.constant('drop'), at, to: fc.constant(0) }),
      fc.record({ kind: fc.constant('double'), at, to: at }),
      fc.record({ kind: fc.constant('swap'), at, to: at }),
      fc.record({ kind: fc.constant('cut'), at, to: fc.nat(64) }),
      fc.record({ kind: fc.constant('lengthen'), at, to: fc.nat(64) }),
    )
    await fc.assert(
      fc.asyncProperty(mutation, async ({ kind, at, to }) => {
        const made = [...entries]
        const entry = made[at]!
        if (kind === 'drop') made.splice(at, 1)
        if (kind === 'double') made.splice(to, 0, entry)
        if (kind === 'swap') [made[at], made[to]] = [made[to]!, entry]
        if (kind === 'cut') made[at] = { ...entry, bytes: entry.bytes.subarray(0, -to - 1) }
        if (kind === 'lengthen')
          made[at] = { ...entry, bytes: Buffer.concat([entry.bytes, Buffer.alloc(to + 1)]) }
        fc.pre(!putTogether(made).equals(putTogether(entries)))
        const [code] = await refusal(made)
        expect(code).toMatch(/-(bundle|signature)$/)
      }),
      { numRuns: 150 },
    )
  })

  it('whatever its vendor signed, a bundle is refused as one, or its images are there to the last byte', async () => {
    const junk = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        -1,
        2 ** 60,
        '',
        '/',
        'sha256:',
        [],
        {},
        hex,
        `sha256:${hex}`,
        'constructor',
      ),
      fc.jsonValue(),
    )
    const where = fc.constantFrom('bundle', 'manifest', 'config')
    await fc.assert(
      fc.asyncProperty(where, fc.nat(), junk, async (which, at, value) => {
        const change = (json: unknown): unknown => {
          const paths = pathsIn(json)
          return withOneOf(json, paths[at % paths.length]!, value)
        }
        const made = which === 'bundle' ? seal(entries, change) : withAppliance({ [which]: change })
        const file = await written(made)
        const opened = await openBundle(file, trusted).catch((error: unknown) => {
          if (error instanceof SlipwayError && error.exitCode === exitCodes.badInput) return undefined
          throw error
        })
        const image = opened?.image('appliance')
        for (const blob of image ? [image.manifest, image.config, ...image.layers] : []) {
          const bytes = await collect(image!.open(blob))
          expect(digestOf(bytes)).toBe(blob.digest)
        }
        await opened?.close()
      }),
      { numRuns: 150 },
    )
  })
})

function swapped(all: readonly TinyEntry[], path: string, content: string): TinyEntry[] {
  return all.map((entry) => (entry.path === path ? text(path, content) : entry))
}

function withImage(manifest: BundleManifest, change: object): BundleManifest {
  const [appliance, ...rest] = manifest.images
  return { ...manifest, images: [{ ...appliance!, ...change }, ...rest] }
}

/** The image with its layers from `from` on left out. */
function withoutLayers(image: BundledImage, from: number): BundledImage {
  return {
    ...image,
    layers: image.layers.map((one, index) => (index < from ? one : { ...one, absent: true })),
  }
}

function withFirst(json: Manifest, change: object): unknown {
  const [first, ...rest] = json.layers
  return { ...json, layers: [{ ...first, ...change }, ...rest] }
}

/** A sealed bundle whose appliance has another manifest or configuration; digests and sizes are those of the bytes. */
function withAppliance(change: Change): TinyEntry[] {
  const { manifest, config } = said.images[0]!
  const read = (digest: string): string =>
    entries.find(({ path }) => path === blobPath(digest))!.bytes.toString()
  const write = (json: unknown) => {
    const bytes = Buffer.from(JSON.stringify(json))
    return { digest: digestOf(bytes), size: bytes.length, bytes }
  }
  const newConfig = write((change.config ?? ((json) => json))(JSON.parse(read(config.digest)) as ImageConfig))
  const { bytes: _, ...descriptor } = newConfig
  const old = JSON.parse(read(manifest.digest)) as Manifest
  const bound = { ...old, config: { ...old.config, ...descriptor } }
  const newManifest = write((change.manifest ?? ((json) => json))(bound))
  const images = withImage(said, {
    manifest: { digest: newManifest.digest, size: newManifest.size },
    config: descriptor,
  }).images
  const made = entries.map((entry) => {
    if (entry.path === blobPath(config.digest))
      return { path: blobPath(newConfig.digest), bytes: newConfig.bytes }
    if (entry.path === blobPath(manifest.digest))
      return { path: blobPath(newManifest.digest), bytes: newManifest.bytes }
    return entry.path === 'index.json' ? text('index.json', indexFile({ ...said, images })) : entry
  })
  return seal(made, (sealed) => ({ ...sealed, images }))
}

/** A sealed bundle whose appliance has these bytes as its brand layer, said to unpack to `unpacked` bytes. */
function withBrand(bytes: Buffer, unpacked: number): TinyEntry[] {
  const [base, brand] = said.images[0]!.layers
  const layer = { ...brand!, digest: digestOf(bytes), size: bytes.length, unpacked }
  const made = replaced(blobPath(brand!.digest), { path: blobPath(layer.digest), bytes })
  return seal(made, (manifest) => withImage(manifest, { layers: [base!, layer] }))
}

function withBinarySize(tar: Buffer): Buffer {
  const made = Buffer.from(tar)
  made.fill(0, 124, 136).writeUInt8(0x80, 124)
  made.fill(0x20, 148, 156)
  const sum = made.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  made.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return made
}

/** The value with the one at this path replaced. */
function withOneOf(value: unknown, [key, ...path]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? withOneOf(item, path, by) : item))
  const fields = Object.entries(value as object)
  return Object.fromEntries(
    fields.map(([name, item]) => [name, name === key ? withOneOf(item, path, by) : item]),
  )
}

/** The paths of a value and of all that is in it. */
function pathsIn(value: unknown): string[][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [[], ...inner.flatMap(([key, item]) => pathsIn(item).map((path) => [key, ...path]))]
}
