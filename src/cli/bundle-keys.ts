import type { KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { readPublicKey } from '../bundle/key.ts'
import { loadDefinition } from '../definition/load.ts'
import type { Context } from './context.ts'

/**
 * The public keys of which one must have signed a bundle: the one named by --key, else by SLIPWAY_KEY, else those of
 * the product directory, where there is one. Throws `bad-key`.
 */
export async function bundleKeys(
  { cwd, env }: Context,
  options: { readonly directory: string; readonly key?: string },
): Promise<KeyObject[]> {
  const named = options.key ?? env.SLIPWAY_KEY
  if (named) return [await readPublicKey(path.resolve(cwd, named))]
  const directory = path.resolve(cwd, options.directory)
  if (!(await stat(path.join(directory, 'appliance.yaml')).catch(() => undefined))) return []
  return Promise.all((await loadDefinition(directory)).keys.map(readPublicKey))
}
