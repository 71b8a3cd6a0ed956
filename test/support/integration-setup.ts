import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { TestProject } from 'vitest/node'
import type { BuiltImage } from './built-image.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    builtImage: BuiltImage
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const productFiles = ['appliance.yaml', 'appliance.lock', 'images', 'compose', 'profiles']

/**
 * Builds the reference appliance once for all integration tests; what it takes is in `builtImage()`. Where SLIPWAY_BUILT
 * names a folder that is left to a later run, which then builds nothing and needs no archive.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = process.env.SLIPWAY_BUILT && path.join(process.env.SLIPWAY_BUILT, 'built-image.json')
  const earlier = shared ? await readFile(shared, 'utf8').catch(() => undefined) : undefined
  if (earlier !== undefined) {
    project.provide('builtImage', JSON.parse(earlier) as BuiltImage)
    return async () => {}
  }
  const scratch = process.env.SLIPWAY_BUILT ?? (await mkdtemp(path.join(os.tmpdir(), 'slipway-integration-')))
  const cacheDirectory = process.env.SLIPWAY_CACHE || path.join(scratch, 'cache')
  const layoutDirectory = path.join(scratch, 'layout')
  const env = { SLIPWAY_CACHE: cacheDirectory }
  let productDirectory = root
  const slipway = (...parameters: string[]) =>
    execa(
      process.execPath,
      [path.join(root, 'dist', 'program', 'main.js'), '-C', productDirectory, ...parameters],
      {
        env,
        stdin: 'ignore',
        all: true,
        reject: false,
      },
    )
  const build = () => slipway('build', '--out', layoutDirectory)
  const stop = async () => {
    if (!shared) await rm(scratch, { recursive: true, force: true })
  }

  let built = await build()
  if (built.failed && /no longer has .*slipway lock --update/.test(built.all)) {
    console.log(
      'The archive no longer has a file of the committed lock: building from a fresh lock of a copy.',
    )
    productDirectory = path.join(scratch, 'product')
    for (const name of productFiles)
      await cp(path.join(root, name), path.join(productDirectory, name), { recursive: true })
    const locked = await slipway('lock', '--update')
    if (locked.failed) throw await failure('lock', locked.all)
    built = await build()
  }
  if (built.failed) throw await failure('build', built.all)

  const lockFile = path.join(productDirectory, 'appliance.lock')
  const image: BuiltImage = { layoutDirectory, lockFile, cacheDirectory, productDirectory }
  project.provide('builtImage', image)
  if (shared) await writeFile(shared, JSON.stringify(image))
  return stop

  async function failure(verb: string, output: string): Promise<Error> {
    await stop()
    return new Error(`slipway ${verb} of the reference appliance failed:\n${output}`)
  }
}
