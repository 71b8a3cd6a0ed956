import path from 'node:path'
import { loadDefinition } from '../definition/load.ts'
import type { Image } from '../image/image.ts'
import { buildProduct } from '../image/product.ts'
import { startWorkers, type Workers } from '../image/workers.ts'
import { formatBytes } from '../lib/bytes.ts'
import { cacheFolder } from '../lib/cache.ts'
import { requireLock } from '../lock/require-lock.ts'
import { buildInputs } from './build-inputs.ts'
import type { Context } from './context.ts'
import { choosePlatforms, enginePlatform } from './platform-option.ts'

export interface BuildOptions {
  readonly directory: string
  readonly platform?: readonly string[]
  readonly out?: string
  readonly vendor?: string
  readonly load?: boolean
  readonly json?: boolean
}

export async function run(context: Context, options: BuildOptions): Promise<undefined> {
  const workers = startWorkers()
  try {
    workers.warm() // while the definition is read
    await build(context, options, workers)
  } finally {
    await workers.close() // an open thread keeps a failed command from ending
  }
}

async function build(context: Context, options: BuildOptions, workers: Workers): Promise<void> {
  const directory = path.resolve(context.cwd, options.directory)
  const out = options.out ? path.resolve(context.cwd, options.out) : path.join(directory, 'build')
  const definition = await loadDefinition(directory)
  const lockfile = await requireLock(definition)
  const { images, layout } = await buildProduct(definition, lockfile, {
    ...(await buildInputs(context, definition, options.vendor)),
    cache: cacheFolder(context.env),
    workers,
    platforms: choosePlatforms(options.platform, definition.platforms),
    out,
  })
  const name = `${definition.name}:${definition.version}`
  if (options.load) await load(context, out, name)
  if (options.json) {
    context.print(JSON.stringify({ name, out, index: layout.index, images: images.map(summary) }, null, 2))
    return
  }
  for (const image of images) {
    context.print(`${image.platform}  ${image.manifest.digest}`)
    for (const layer of image.layers) {
      context.print(
        `  ${layer.name.padEnd(12)} ${formatBytes(layer.size).padStart(8)}  ${layer.digest.slice(0, 19)}`,
      )
    }
  }
  context.print(
    `${name} is in ${path.relative(context.cwd, out) || '.'}: an OCI image layout, index ${layout.index}`,
  )
}

function summary(image: Image): unknown {
  return {
    platform: image.platform,
    manifest: image.manifest.digest,
    config: image.config.digest,
    layers: image.layers.map(({ name, digest, size, diffID }) => ({ name, digest, size, diffID })),
  }
}

async function load(context: Context, out: string, name: string): Promise<void> {
  const [{ connectEngine }, { loadImage }, { readLayout }] = await Promise.all([
    import('../engine/connect.ts'),
    import('../engine/load-image.ts'),
    import('../image/read-layout.ts'),
  ])
  const engine = await connectEngine(context.env)
  const platform = enginePlatform(engine.version.architecture)
  await loadImage(engine, await readLayout(out, platform), [name], context.report, context.signal)
}
