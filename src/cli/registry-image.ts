import { stat } from 'node:fs/promises'
import path from 'node:path'
import { readPublicKeys } from '../bundle/key.ts'
import { openRegistryImage } from '../bundle/registry/pull.ts'
import { formatReference, isReference, parseReference } from '../bundle/registry/reference.ts'
import { RegistrySession } from '../bundle/registry/session.ts'
import type { ImageSource } from '../image/image-source.ts'
import { cacheFolder } from '../lib/cache.ts'
import { badInput } from '../lib/errors.ts'
import type { Platform } from '../lib/platform.ts'
import type { Context } from './context.ts'

/** How far a registry is trusted. */
export interface RegistryOptions {
  readonly key?: string
  readonly allowUnsigned?: boolean
  readonly insecure?: boolean
}

export interface TrustOptions extends RegistryOptions {
  /** Files of the product's own public keys, which count where --key names none. */
  readonly keys: readonly string[]
}

/** Whether a word is meant as a place in a registry: a folder of that name comes first. */
export async function namesRegistry(context: Context, word: string): Promise<boolean> {
  if (!isReference(word)) return false
  return !(await stat(path.resolve(context.cwd, word)).catch(() => undefined))
}

/**
 * Opens an image of a registry for an install. A tag is what the registry says it is: without a key to check the
 * signature by, only a digest is taken. Throws `not-pinned`, and what `openRegistryImage` throws.
 */
export async function openFromRegistry(
  context: Context,
  word: string,
  platform: Platform,
  options: TrustOptions,
): Promise<ImageSource> {
  const { env, signal, report } = context
  const reference = parseReference(word)
  const files = options.key ? [path.resolve(context.cwd, options.key)] : options.keys
  const keys = options.allowUnsigned ? [] : await readPublicKeys(files)
  if (!reference.digest && keys.length === 0 && !options.allowUnsigned) {
    throw badInput(
      'not-pinned',
      `${word} names no digest, and without a key (--key FILE, or keys in appliance.yaml) nothing tells whether it is the partner's; give one of them, or --allow-unsigned to take what the registry has.`,
    )
  }
  const session = new RegistrySession(reference, { env, signal, insecure: options.insecure === true })
  const folder = path.join(cacheFolder(env).root, 'blobs')
  const image = await openRegistryImage(session, { platform, keys, folder, report })
  const signed = keys.length > 0 ? 'its signature is good' : 'NO SIGNATURE WAS CHECKED'
  const { digest } = image
  if (!reference.digest) report({ type: 'note', text: `${word} is ${digest}; ${signed}.` })
  else report({ type: 'note', text: `${formatReference(reference, { digest })}: ${signed}.` })
  return image
}
