import path from 'node:path'
import { loadDefinition } from '../definition/load.ts'
import { describeMaterials } from '../image/sbom.ts'
import { readLock } from '../lock/read-lock.ts'
import type { Context } from './context.ts'
import { choosePlatforms, hostPlatform } from './platform-option.ts'

export interface SbomOptions {
  readonly directory: string
  readonly platform?: string
}

/** Prints one platform's bill of materials, as a build attaches it to the image. */
export async function run(context: Context, options: SbomOptions): Promise<undefined> {
  const directory = path.resolve(context.cwd, options.directory)
  const definition = await loadDefinition(directory)
  const lockfile = await readLock(directory)
  const [platform] = choosePlatforms([options.platform ?? hostPlatform()], definition.platforms)
  context.print(JSON.stringify(describeMaterials(definition, lockfile, platform!), null, 2))
}
