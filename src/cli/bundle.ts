import type { KeyObject } from 'node:crypto'
import path from 'node:path'
import { bundleContent } from '../bundle/bundle-content.ts'
import { buildInstallerImage } from '../bundle/installer/build-installer.ts'
import { type PackedBundle, packBundle } from '../bundle/pack-bundle.ts'
import { readBase, type UpdateBase } from '../bundle/update-base.ts'
import { type WrittenFile, writeBeside, writeBundle } from '../bundle/write-bundle.ts'
import type { Definition } from '../definition/definition.ts'
import { loadDefinition } from '../definition/load.ts'
import { parseSize } from '../definition/size.ts'
import { type BuildOptions, buildImage } from '../image/build.ts'
import { openLayerCache } from '../image/layer-cache.ts'
import { startWorkers } from '../image/workers.ts'
import { formatBytes } from '../lib/bytes.ts'
import { cacheFolder } from '../lib/cache.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import type { Platform } from '../lib/platform.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import { requireLock } from '../lock/require-lock.ts'
import { buildInputs } from './build-inputs.ts'
import { bundleTrust } from './bundle-trust.ts'
import type { Context } from './context.ts'
import { packageVersion } from './package-version.ts'
import { choosePlatforms } from './platform-option.ts'
import { readSigningKey, refuseUnknownKey } from './signing-key.ts'

export interface BundleOptions {
  readonly directory: string
  readonly platform?: readonly string[]
  readonly key?: string
  readonly passphraseFile?: string
  readonly out?: string
  readonly vendor?: string
  readonly since?: string
  readonly split?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

interface Job {
  readonly definition: Definition
  readonly lockfile: Lockfile
  readonly build: BuildOptions
  readonly key: KeyObject | undefined
  readonly since: UpdateBase | undefined
}

/** Builds the images and packs one file per platform, each into a folder of its own with what installs it. */
export async function run(context: Context, options: BundleOptions): Promise<undefined> {
  const split = readSplit(options.split)
  const key = options.key ? await readSigningKey(context, { ...options, key: options.key }) : undefined
  const since = options.since ? await openBase(context, options, options.since, key) : undefined
  const workers = startWorkers()
  try {
    workers.warm()
    context.signal.addEventListener('abort', () => void workers.close(context.signal.reason), { once: true })
    const directory = path.resolve(context.cwd, options.directory)
    const definition = await loadDefinition(directory)
    if (key) await refuseUnknownKey(definition, key, options.key!, 'bundle')
    const lockfile = await requireLock(definition)
    const job = {
      definition,
      lockfile,
      build: {
        ...(await buildInputs(context, definition, options.vendor)),
        layers: openLayerCache(cacheFolder(context.env).layers),
        workers,
      },
      key,
      since,
    }
    const out = options.out ? path.resolve(context.cwd, options.out) : path.join(directory, 'bundle')
    for (const platform of platformsOf(options, definition, since)) {
      const bundle = await pack(job, platform)
      const folder = path.join(out, bundle.name.replace(/\.tar$/, ''))
      const { report, signal } = context
      const written = options.dryRun
        ? []
        : await writeBundle(folder, bundle, { ...(split !== undefined && { split }), report, signal })
      const files = options.dryRun ? [] : [...written, ...(await writeBeside(folder, bundle, written))]
      print(context, options, { bundle, folder, files })
    }
  } finally {
    await workers.close()
  }
}

/** An update that is only tried out, unsigned, may stand on a bundle that was signed: then the product's keys tell. */
async function openBase(
  context: Context,
  { directory }: BundleOptions,
  since: string,
  key: KeyObject | undefined,
): Promise<UpdateBase> {
  const known = key ? [] : (await bundleTrust(context, { directory })).keys
  return readBase(path.resolve(context.cwd, since), key, known)
}

function platformsOf(
  options: BundleOptions,
  definition: Definition,
  since: UpdateBase | undefined,
): readonly Platform[] {
  if (!since) return choosePlatforms(options.platform, definition.platforms)
  const { platform, product } = since.manifest
  if (product.name !== definition.name)
    throw badInput(
      'other-product',
      `${options.since} is a bundle of ${product.name}, and this product directory is of ${definition.name}; name that product's directory with -C.`,
    )
  return choosePlatforms(options.platform ?? [platform], [platform])
}

async function pack(job: Job, platform: Platform): Promise<PackedBundle> {
  const { definition, lockfile, build, since, key } = job
  const appliance = await buildImage(definition, lockfile, platform, build)
  const installer = await buildInstallerImage(definition, lockfile, platform, build)
  const content = await bundleContent(
    definition,
    lockfile,
    { appliance, installer },
    { ...(since && { since }), builder: packageVersion() },
  )
  return packBundle(content, key)
}

function readSplit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const size = parseSize(text)
  if (size !== undefined && size > 0) return size
  throw badInput('bad-size', `--split ${text} is no size; say what the medium holds, such as 700m.`)
}

interface Result {
  readonly bundle: PackedBundle
  readonly folder: string
  readonly files: readonly WrittenFile[]
}

function print(context: Context, options: BundleOptions, { bundle, folder, files }: Result): void {
  const { manifest, facts, size, name } = bundle
  if (options.json) {
    const { kind, key, product, platform, since, images } = manifest
    const summary = {
      name,
      folder,
      size,
      kind,
      key,
      product,
      platform,
      since,
      prefix: facts.prefix,
      images,
      files,
    }
    context.print(JSON.stringify(summary, null, 2))
    return
  }
  const where = path.relative(context.cwd, folder) || '.'
  context.print(`${options.dryRun ? 'Would write' : 'Wrote'} ${path.join(where, name)}: ${formatBytes(size)}`)
  for (const { role, reference, layers, config } of manifest.images) {
    const present = layers.filter(({ absent }) => !absent).length
    const count =
      present === layers.length ? `${layers.length} layers` : `${present} of ${layers.length} layers`
    context.print(`  ${role.padEnd(10)} ${reference}  ${count}, ID ${config.digest.slice(0, 19)}`)
  }
  for (const file of files) context.print(`  ${formatBytes(file.size).padStart(8)}  ${file.name}`)
  if (manifest.key) context.print(`  signed by ${manifest.key}`)
  else
    context.print(
      `  NOT SIGNED: nobody can tell who made it, and an install refuses it. Sign it: ${commandName()} bundle --key PRIVATE`,
    )
}
