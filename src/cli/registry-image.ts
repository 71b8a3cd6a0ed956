import path from 'node:path'
import { openRegistryImage } from '../bundle/registry/pull.ts'
import { formatReference, parseReference } from '../bundle/registry/reference.ts'
import { RegistrySession } from '../bundle/registry/session.ts'
import type { ImageSource } from '../image/image-source.ts'
import { cacheFolder } from '../lib/cache.ts'
import { badInput } from '../lib/errors.ts'
import type { Platform } from '../lib/platform.ts'
import { bundleTrust, type TrustOptions } from './bundle-trust.ts'
import type { Context } from './context.ts'

/** How far a registry is trusted. */
export interface RegistryOptions extends TrustOptions {
  readonly insecure?: boolean
}

/**
 * Opens an image of a registry for an install. A tag is what the registry says it is: without a key to check the
 * signature by, only a digest is taken. Throws `not-pinned`, and what `openRegistryImage` throws.
 */
export async function openFromRegistry(
  context: Context,
  word: string,
  platform: Platform,
  options: RegistryOptions,
): Promise<ImageSource> {
  const { env, signal, report } = context
  const reference = parseReference(word)
  const trust = await bundleTrust(context, options)
  if (!reference.digest && trust.keys.length === 0 && !trust.allowUnsigned) {
    throw badInput(
      'not-pinned',
      `${word} names no digest, and without a key (--key FILE, SLIPWAY_KEY, or keys in appliance.yaml) nothing tells whether it is the partner's; give one of them, or --allow-unsigned where nobody signed it.`,
    )
  }
  const isChecked = trust.keys.length > 0 || !reference.digest
  const session = new RegistrySession(reference, { env, signal, insecure: options.insecure === true })
  const folder = path.join(cacheFolder(env).root, 'blobs')
  const image = await openRegistryImage(session, { platform, folder, report, ...(isChecked && { trust }) })
  const { digest, key } = image
  const found = reference.digest ? formatReference(reference, { digest }) : `${word} is ${digest}`
  report({ type: 'note', text: `${found}: ${describeTrust(isChecked, key)}` })
  return image
}

function describeTrust(isChecked: boolean, key: string | undefined): string {
  if (!isChecked) return 'NO SIGNATURE WAS CHECKED, the digest says what is taken.'
  if (key !== undefined) return `signed by ${key}.`
  return 'IT IS NOT SIGNED, nobody can tell who made it. It is taken because of --allow-unsigned.'
}
