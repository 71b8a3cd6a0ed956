import path from 'node:path'
import { openBundle } from '../bundle/open-bundle.ts'
import { connectEngine } from '../engine/connect.ts'
import { loadImage } from '../engine/load-image.ts'
import { badInput } from '../lib/errors.ts'
import { bundleTrust, type TrustOptions } from './bundle-trust.ts'
import type { Context } from './context.ts'
import { enginePlatform } from './platform-option.ts'

/**
 * Brings the installer image of an update into the Engine, checked as for an install: install.sh has the installer of the
 * release beneath do it where `docker load` takes no image without all its layers.
 */
export async function run(
  context: Context,
  options: TrustOptions,
  [file = '']: string[],
): Promise<undefined> {
  const { report, signal } = context
  const engine = await connectEngine(context.env)
  const bundle = await openBundle(path.resolve(context.cwd, file), {
    ...(await bundleTrust(context, options)),
    platform: enginePlatform(engine.version.architecture),
    report,
    signal,
  })
  try {
    const described = bundle.manifest.images.find(({ role }) => role === 'installer')
    const image = bundle.image('installer')
    if (!described || !image)
      throw badInput('no-installer', `${bundle.name} holds no installer; take the full bundle instead.`)
    await loadImage(engine, image, [described.reference], report, signal)
  } finally {
    await bundle.close()
  }
}
