import type { KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { readPublicKeys } from '../bundle/key.ts'
import type { Trust } from '../bundle/signature-check.ts'
import { loadDefinition } from '../definition/load.ts'
import type { Context } from './context.ts'

export interface TrustOptions {
  readonly directory: string
  readonly key?: string
  readonly allowUnsigned?: boolean
}

/**
 * Whose bundles are taken: those signed by the key that --key names, else SLIPWAY_KEY, else one of the product
 * directory's, where there is one. Throws `bad-key`.
 */
export async function bundleTrust(context: Context, options: TrustOptions): Promise<Trust> {
  return { keys: await publicKeys(context, options), allowUnsigned: options.allowUnsigned === true }
}

async function publicKeys({ cwd, env }: Context, options: TrustOptions): Promise<KeyObject[]> {
  const named = options.key ?? env.SLIPWAY_KEY
  if (named) return readPublicKeys([path.resolve(cwd, named)])
  const directory = path.resolve(cwd, options.directory)
  if (!(await stat(path.join(directory, 'appliance.yaml')).catch(() => undefined))) return []
  return readPublicKeys((await loadDefinition(directory)).keys)
}
