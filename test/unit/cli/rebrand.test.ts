import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openImage } from '../../../src/image/image-files.ts'
import { layoutReferrers, readLayout } from '../../../src/image/read-layout.ts'
import { slipway } from '../../support/slipway.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

const brand = `vendor: Zeta AG
product: Zeta Link
command: zeta-link
support: zeta.example
banner: Zeta
logo: logo.svg
`

let product: TinyProduct

beforeAll(async () => {
  product = await TinyProduct.create([{ name: 'app', version: '1.0' }])
  await product.write({
    'images/brand/component.yaml': 'description: The brand\n',
    'images/brand/rootfs/usr/share/own.txt': 'kept\n',
    'zeta.yaml': brand,
    'logo.svg': '<svg/>',
  })
  for (const verb of ['lock', 'build']) expect(await product.type(verb)).toMatchObject({ exitCode: 0 })
})
afterAll(() => product.remove())

const at = (...parts: string[]): string => path.join(product.directory, ...parts)
const image = (layout: string) => readLayout(at(layout), 'linux/amd64')
const rebrand = (...words: string[]) =>
  slipway(['rebrand', ...words], { cwd: product.directory, env: product.env })

describe('rebrand', () => {
  it('leaves every layer but the brand’s as it was, digest by digest, and puts the new brand in the last', async () => {
    const before = await image('build')
    expect(await rebrand('build', '--brand', 'zeta.yaml', '--name', 'zeta', '--out', 'zeta')).toMatchObject({
      exitCode: 0,
    })
    const after = await image('zeta')
    const ids = ({ layers }: typeof after) => layers.map(({ digest, diffId }) => ({ digest, diffId }))
    expect(ids(after).slice(0, -1)).toEqual(ids(before).slice(0, -1))
    expect(ids(after).at(-1)).not.toEqual(ids(before).at(-1))
    const { files, config } = await openImage(after)
    const text = (file: string) => Buffer.from(files.get(file)?.content ?? '').toString()
    expect({
      motd: text('etc/motd'),
      own: text('usr/share/own.txt'),
      logo: text('usr/share/slipway/logo.svg'),
      brand: JSON.parse(text('usr/share/slipway/brand.json')),
    }).toEqual({
      motd: 'Zeta\n',
      own: 'kept\n',
      logo: '<svg/>',
      brand: {
        vendor: 'Zeta AG',
        product: 'Zeta Link',
        command: 'zeta-link',
        support: 'zeta.example',
        logo: 'logo.svg',
        name: 'zeta',
        version: '1.0.0',
      },
    })
    expect(config.config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'Zeta Link',
      'org.opencontainers.image.vendor': 'Zeta AG',
      'org.opencontainers.image.authors': 'zeta.example',
      'io.slipway.product': 'zeta',
      'io.slipway.release': '1.0.0',
    })
    expect(JSON.stringify(config.history)).not.toContain('tiny: ')
  })

  it('gives the bill of materials the new name', async () => {
    const after = await image('zeta')
    const [document] = await layoutReferrers(at('zeta'), after.manifest, 'application/spdx+json')
    const { name, packages } = JSON.parse(Buffer.from(document!).toString())
    expect({
      name,
      first: packages[0].name,
      supplier: packages[0].supplier,
      others: packages.length - 1,
    }).toEqual({
      name: 'zeta-1.0.0-linux-amd64',
      first: 'zeta',
      supplier: 'Organization: Zeta AG',
      others: 1,
    })
  })

  it('gives the very image that a build gives, when the brand is the product’s own', async () => {
    await rebrand('zeta', '--brand', 'appliance.yaml', '--out', 'back')
    expect((await image('back')).manifest.digest).toBe((await image('build')).manifest.digest)
  })

  it('shows with --dry-run what would come of it', async () => {
    const { stdout } = await rebrand('build', '--brand', 'zeta.yaml', '--name', 'zeta', '--dry-run', '--json')
    const told = JSON.parse(stdout)
    expect([told.written, told.images[0].manifest]).toEqual([false, (await image('zeta')).manifest.digest])
  })
})

describe('rebrand is refused', () => {
  const refusal = async (...words: string[]) => {
    const { exitCode, stderr } = await rebrand(...words)
    return { exitCode, stderr: stderr.replaceAll(product.directory + path.sep, '') }
  }

  it('for a brand that is not whole, naming the file’s own lines', async () => {
    await product.write({
      'half.yaml': '# half\nvendor: Zeta\nproduct: Zeta\ncommand: Zeta Link\nsupport: x\n',
    })
    expect(await refusal('build', '--brand', 'half.yaml', '--out', 'x')).toEqual({
      exitCode: 2,
      stderr: `slipway: half.yaml:4: brand.command is "Zeta Link"; it must be the command a user types: lower-case letters, digits and hyphens, and no word of the shell's own. Correct it, then run the same command again.`,
    })
  })

  it('for a place that is the image itself', async () => {
    expect(await refusal('build', '--brand', 'zeta.yaml', '--out', './build')).toEqual({
      exitCode: 2,
      stderr:
        'slipway: --out ./build is the image that is given another brand, and would be written over; choose another folder.',
    })
  })

  it('without a place to put the image', async () => {
    expect(await refusal('build', '--brand', 'zeta.yaml')).toEqual({
      exitCode: 2,
      stderr:
        'slipway: Say where the image goes: --out DIR writes a layout, --load brings it into the Engine.',
    })
  })

  it('for an image that is not there', async () => {
    expect(await refusal('nothing', '--brand', 'zeta.yaml', '--out', 'x')).toEqual({
      exitCode: 2,
      stderr: 'slipway: There is no nothing; name a layout that build wrote, or a tar of one.',
    })
  })

  it('for a file that is no tar', async () => {
    const { exitCode, stderr } = await rebrand('appliance.yaml', '--brand', 'zeta.yaml', '--dry-run')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: `slipway: ${at('appliance.yaml')} cannot be read as a tar of a layout: its tar ends early; name the folder that build wrote, or unpack the tar and name its folder.`,
    })
  })

  it('for an image of which a layer is damaged', async () => {
    const { layers } = await image('zeta')
    const file = at('zeta', 'blobs', 'sha256', layers[0]!.digest.slice('sha256:'.length))
    const bytes = await readFile(file)
    bytes[bytes.length - 1]! ^= 1
    await writeFile(file, bytes)
    const { exitCode, stderr } = await refusal('zeta', '--brand', 'zeta.yaml', '--out', 'x')
    expect([exitCode, stderr.replace(/[0-9a-f]{64}/, 'HEX')]).toEqual([
      2,
      'slipway: zeta/blobs/sha256/HEX is damaged or missing: its bytes do not have the digest of its name; take another copy of the image.',
    ])
  })
})
