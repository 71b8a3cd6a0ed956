import path from 'node:path'
import { discardDeb, fetchDebs } from '../debian/deb-store.ts'
import { findRecipes } from '../debian/recipe-load.ts'
import type { Definition } from '../definition/definition.ts'
import type { BuildOptions } from '../image/build.ts'
import { cacheFolder } from '../lib/cache.ts'
import type { Context } from './context.ts'
import { scriptRunner } from './script-runner.ts'

/** Where a build takes packages, recipes and what runs scripts from, for any verb that builds. */
export async function buildInputs(
  { env, report, signal, cwd }: Context,
  definition: Definition,
  vendorFolder: string | undefined,
): Promise<Pick<BuildOptions, 'recipes' | 'fetch' | 'discard' | 'runner' | 'report' | 'signal'>> {
  const cache = cacheFolder(env)
  const vendor = path.resolve(cwd, vendorFolder ?? path.join(definition.directory, 'vendor'))
  return {
    recipes: await findRecipes(definition.recipeFolders),
    fetch: (packages) => fetchDebs(packages, definition.debian, { cache, vendor, env, report, signal }),
    discard: (locked) => discardDeb(locked, { cache, vendor }),
    runner: scriptRunner(env),
    report,
    signal,
  }
}
