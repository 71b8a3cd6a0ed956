import path from 'node:path'
import { openBundle } from '../bundle/open-bundle.ts'
import { formatBytes } from '../lib/bytes.ts'
import { commandName } from '../lib/command-name.ts'
import { typedWord } from '../lib/typed-word.ts'
import { bundleTrust, type TrustOptions } from './bundle-trust.ts'
import type { Context } from './context.ts'

export interface VerifyOptions extends TrustOptions {
  readonly json?: boolean
}

/** Checks a bundle, or one in parts, as an install would before it loads anything. Changes nothing. */
export async function run(
  context: Context,
  options: VerifyOptions,
  [name = '']: string[],
): Promise<undefined> {
  const { report, signal } = context
  const file = path.resolve(context.cwd, name)
  const bundle = await openBundle(file, { ...(await bundleTrust(context, options)), report, signal })
  await bundle.close()
  const { manifest, size, key } = bundle
  const { kind, product, platform, since, images, date } = manifest
  if (options.json) {
    const files = manifest.files.length
    context.print(
      JSON.stringify(
        {
          name: bundle.name,
          size,
          kind,
          signed: key !== undefined,
          key,
          product,
          platform,
          date,
          since,
          images,
          files,
        },
        null,
        2,
      ),
    )
    return
  }
  context.print(`${bundle.name}: ${product.product} ${product.version} for ${platform}, ${formatBytes(size)}`)
  if (since) context.print(`  an update of ${since.version}`)
  for (const { role, reference, config, layers } of images)
    context.print(`  ${role.padEnd(10)} ${reference}  ${layers.length} layers, ID ${config.digest}`)
  context.print(
    key === undefined
      ? '  NOT SIGNED: it is whole, but nobody can tell who made it.'
      : `  signed by ${key}; every byte is as it was signed`,
  )
  const trust = [
    ...(options.key ? ['--key', path.resolve(context.cwd, options.key)] : []),
    ...(key === undefined ? ['--allow-unsigned'] : []),
  ]
  context.print(['Next:', commandName(), 'install', '--bundle', ...[file, ...trust].map(typedWord)].join(' '))
}
