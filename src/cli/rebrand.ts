import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { readTar } from '../debian/tar-reader.ts'
import { type NewBrand, readBrandFile } from '../definition/brand-file.ts'
import { compress } from '../image/compress.ts'
import { mediaTypes } from '../image/oci.ts'
import { layoutPlatforms, layoutReferrers, readLayout } from '../image/read-layout.ts'
import { type RebrandedImage, rebrandImage, rebrandMaterials } from '../image/rebrand.ts'
import { attachMaterials } from '../image/sbom.ts'
import { type Referrer, writeLayout } from '../image/write-layout.ts'
import { formatBytes } from '../lib/bytes.ts'
import { badInput } from '../lib/errors.ts'
import { platforms } from '../lib/platform.ts'
import type { Context } from './context.ts'
import { enginePlatform } from './platform-option.ts'

interface Options {
  readonly brand: string
  readonly name?: string
  readonly out?: string
  readonly load?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Puts another brand on a built image: one small layer is new, every other is the one that was there. */
export async function run(
  context: Context,
  options: Options,
  [image = '']: readonly string[],
): Promise<undefined> {
  if (options.out === undefined && !options.load && !options.dryRun) {
    throw badInput(
      'bad-usage',
      'Say where the image goes: --out DIR writes a layout, --load brings it into the Engine.',
    )
  }
  if (options.name !== undefined && !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(options.name)) {
    throw badInput(
      'bad-name',
      `--name ${options.name} cannot be an image's; use lower-case letters, digits and single hyphens.`,
    )
  }
  if (
    options.out !== undefined &&
    path.resolve(context.cwd, options.out) === path.resolve(context.cwd, image)
  ) {
    throw badInput(
      'bad-usage',
      `--out ${options.out} is the image that is given another brand, and would be written over; choose another folder.`,
    )
  }
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'rebrand-'))
  try {
    const brand = await readBrandFile(path.resolve(context.cwd, options.brand))
    const next = options.name === undefined ? brand : { ...brand, name: options.name }
    const source = await openSource(path.resolve(context.cwd, image), path.join(scratch, 'image'))
    const images = await rebrandAll(source, next)
    const out = options.out ? path.resolve(context.cwd, options.out) : path.join(scratch, 'out')
    const { name, version } = images[0]!
    if (!options.dryRun) {
      const referrers = await materialsOf(source, images, next)
      await writeLayout(out, { repository: name, tag: version }, images, referrers)
      if (options.load) await load(context, out, `${name}:${version}`)
    }
    print(context, options, images)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function rebrandAll(source: string, next: NewBrand): Promise<RebrandedImage[]> {
  const held = await layoutPlatforms(source)
  const found = platforms.filter((platform) => held.has(platform))
  if (found.length === 0) throw badInput('no-platform', `${source} holds no image.`)
  const pack = async (pieces: readonly Uint8Array[]): Promise<Uint8Array> =>
    compress({ kind: 'compress', pieces })
  return Promise.all(
    found.map(async (platform) => rebrandImage(source, await readLayout(source, platform), next, pack)),
  )
}

/** The bills of materials that the old image had, for the new one. */
async function materialsOf(
  source: string,
  images: readonly RebrandedImage[],
  { brand }: NewBrand,
): Promise<Referrer[]> {
  const referrers = await Promise.all(
    images.map(async (image) => {
      const old = (await readLayout(source, image.platform)).manifest
      const documents = await layoutReferrers(source, old, mediaTypes.spdx)
      return documents.map((bytes) => {
        const materials = JSON.parse(Buffer.from(bytes).toString()) as unknown
        return attachMaterials(image, rebrandMaterials(materials, image, brand.vendor))
      })
    }),
  )
  return referrers.flat()
}

/** A layout directory as it is; a tar of one is unpacked: nothing but the files of a layout. */
async function openSource(image: string, folder: string): Promise<string> {
  const found = await stat(image).catch(() => undefined)
  if (!found)
    throw badInput('no-layout', `There is no ${image}; name a layout that build wrote, or a tar of one.`)
  if (found.isDirectory()) return image
  const entries = await readFile(image)
    .then(readTar)
    .catch((error: Error) => {
      const reason = error.message.replace(/^The package file is damaged: /, '').replace(/\.$/, '')
      throw badInput(
        'no-layout',
        `${image} cannot be read as a tar of a layout: ${reason}; name the folder that build wrote, or unpack the tar and name its folder.`,
        error,
      )
    })
  await mkdir(path.join(folder, 'blobs', 'sha256'), { recursive: true })
  for (const { path: name, type, content } of entries) {
    if (type !== 'file' || !/^(?:blobs\/sha256\/[0-9a-f]{64}|index\.json|oci-layout)$/.test(name)) continue
    await writeFile(path.join(folder, ...name.split('/')), content!)
  }
  return folder
}

function print(context: Context, { json, dryRun, out }: Options, images: readonly RebrandedImage[]): void {
  if (json) {
    const told = images.map(({ platform, name, version, manifest, config, layers }) => ({
      ...{ platform, name: `${name}:${version}`, manifest: manifest.digest, config: config.digest },
      layers: layers.map((layer) => ({ name: layer.name, digest: layer.digest, size: layer.size })),
    }))
    context.print(JSON.stringify({ written: !dryRun, images: told }, null, 2))
    return
  }
  for (const { platform, name, version, manifest, layers } of images) {
    const last = layers.at(-1)!
    context.print(`${platform}  ${name}:${version}  ${manifest.digest}`)
    context.print(`  ${layers.length - 1} layers as they were, ${last.name} anew (${formatBytes(last.size)})`)
  }
  if (dryRun) context.print('Nothing was written; without --dry-run, it would be.')
  else if (out) context.print(`The image is in ${out}: an OCI image layout.`)
}

async function load(context: Context, out: string, name: string): Promise<void> {
  const [{ connectEngine }, { loadImage }] = await Promise.all([
    import('../engine/connect.ts'),
    import('../engine/load-image.ts'),
  ])
  const engine = await connectEngine(context.env)
  const platform = enginePlatform(engine.version.architecture)
  await loadImage(engine, await readLayout(out, platform), [name], context.report, context.signal)
}
