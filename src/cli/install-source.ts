import { existsSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { productFolder } from '../bundle/format.ts'
import { type OpenedBundle, openBundle } from '../bundle/open-bundle.ts'
import type { Definition } from '../definition/definition.ts'
import { loadDefinition } from '../definition/load.ts'
import type { Engine } from '../engine/engine.ts'
import { storedLayers } from '../engine/load-image.ts'
import type { ImageSource } from '../image/image-source.ts'
import { readLayout } from '../image/read-layout.ts'
import { writeFailure } from '../lib/atomic.ts'
import { commandName, isBranded } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { runPrefix, sweepEnded } from '../lib/sweep.ts'
import { typedWord } from '../lib/typed-word.ts'
import { bundleTrust } from './bundle-trust.ts'
import type { Context } from './context.ts'
import { installedImage } from './installed-image.ts'
import { enginePlatform } from './platform-option.ts'
import type { RegistryOptions } from './registry-image.ts'
import { namesRegistry } from './registry-name.ts'

export interface SourceOptions extends RegistryOptions {
  readonly name?: string
  readonly bundle?: string
}

/** What is to be installed. */
export interface InstallSource {
  readonly definition: Definition
  readonly image: ImageSource
}

/**
 * Opens what is to be installed: a bundle with the product that is in it, else the product directory with its built
 * layout, an image of a registry, or, in the installer image, what runs here already. A bundle is checked whole before
 * anything else. Throws `other-release` where the image is of another product or release, and what opening throws.
 */
export async function openSource(
  context: Context,
  options: SourceOptions,
  layout: string | undefined,
  engine: Engine,
): Promise<InstallSource> {
  const platform = enginePlatform(engine.version.architecture)
  if (options.bundle !== undefined) {
    if (layout === undefined) return openBundleSource(context, options, options.bundle, engine)
    throw badInput(
      'two-sources',
      isBranded()
        ? `The bundle ${options.bundle} is what is installed, and ${typedWord(layout)} is no option; leave it out, or see which there are: ${commandName()} install --help`
        : `${layout} and --bundle ${options.bundle} are both named to be installed; leave one of them out.`,
    )
  }
  const definition = await loadDefinition(path.resolve(context.cwd, options.directory))
  if (layout !== undefined && (await namesRegistry(context, layout))) {
    // An install from a file is not to wait while all that speaks to registries is loaded.
    const { openFromRegistry } = await import('./registry-image.ts')
    const image = await openFromRegistry(context, layout, platform, options)
    return checkRelease(definition, image, layout, (found, own) =>
      isBranded()
        ? `install the bundle of ${found} with --bundle FILE`
        : `go to the product directory of ${found}, or name the digest of ${own}`,
    )
  }
  const directory = layout ? path.resolve(context.cwd, layout) : path.join(definition.directory, 'build')
  // Within the installer image there is no build: what was built is elsewhere.
  if (layout === undefined && context.env.SLIPWAY_PRODUCT && !existsSync(directory)) {
    const image = await installedImage(engine, definition, options.name ?? definition.name, platform)
    if (image) return { definition, image }
    throw badInput(
      'no-bundle',
      `${definition.name} ${definition.version} does not run on this host, so that its image must come from elsewhere; name the bundle that it is in with --bundle FILE.`,
    )
  }
  const image = await readLayout(directory, platform)
  return checkRelease(definition, image, directory, () => `\`${commandName()} build\` builds it`)
}

/** An image must be of the definition's product and release, by the labels that the build wrote. */
function checkRelease(
  definition: Definition,
  image: ImageSource,
  from: string,
  advise: (found: string, own: string) => string,
): InstallSource {
  const own = `${definition.name} ${definition.version}`
  const product = image.labels['io.slipway.product'] ?? definition.name
  const found = `${product} ${image.labels['io.slipway.release'] ?? definition.version}`
  if (found === own) return { definition, image }
  throw badInput(
    'other-release',
    `${from} holds ${found}, and the definition is ${own}; ${advise(found, own)}.`,
  )
}

async function openBundleSource(
  context: Context,
  options: SourceOptions,
  file: string,
  engine: Engine,
): Promise<InstallSource> {
  const { report, signal, cwd } = context
  const bundle = await openBundle(path.resolve(cwd, file), {
    ...(await bundleTrust(context, options)),
    platform: enginePlatform(engine.version.architecture),
    stored: await storedLayers(engine),
    report,
    signal,
  })
  if (bundle.key === undefined)
    report({
      type: 'note',
      text: `${bundle.name} IS NOT SIGNED: nobody can tell who made it. It is taken because of --allow-unsigned.`,
    })
  const definition = await loadDefinition(path.join(await unfold(bundle), productFolder))
  return checkRelease(
    definition,
    bundle.image('appliance')!,
    bundle.name,
    () => 'ask who made it for another',
  )
}

/** Writes the bundle's product, a few kilobytes that were checked, to a folder that goes when the program ends. */
async function unfold({ product }: OpenedBundle): Promise<string> {
  const prefix = 'slipway-product-'
  await sweepEnded(os.tmpdir(), prefix)
  const folder = await mkdtemp(path.join(os.tmpdir(), runPrefix(prefix))).catch((error: unknown) => {
    throw writeFailure(os.tmpdir(), error)
  })
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const [name, bytes] of product) {
    const file = path.join(folder, ...name.split('/'))
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, bytes).catch((error: unknown) => {
      throw writeFailure(file, error)
    })
  }
  return folder
}
