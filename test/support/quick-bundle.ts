import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { builtImage } from './built-image.ts'
import { repository, slipway } from './slipway.ts'

/** A partner's product for a host without Node, whose services do nothing and are healthy at once. */
export interface QuickProduct {
  /** The product directory. */
  readonly directory: string
  readonly command: string
  /** Packs and signs it with the true installer; returns the folder that is delivered. */
  bundle(version: string, ...more: readonly string[]): Promise<string>
}

/** Writes a partner's product below `folder`: the reference's image, with services that sleep. */
export async function writeQuickProduct(folder: string, command: string): Promise<QuickProduct> {
  const { productDirectory, cacheDirectory } = builtImage()
  const directory = path.join(folder, 'product')
  await mkdir(path.join(directory, 'compose'), { recursive: true })
  const parent =
    productDirectory === repository ? 'slipway-reference' : path.relative(directory, productDirectory)
  const appliance = (version: string): string =>
    [
      `extends: ${parent}`,
      `name: ${command}`,
      `version: ${version}`,
      `brand: { vendor: Quick, product: Quick WAN, command: ${command}, support: help@quick.example }`,
      'keys: [signing.pub]',
      '',
    ].join('\n')
  await writeFile(path.join(directory, 'appliance.yaml'), appliance('1.0.0'))
  await writeFile(path.join(directory, 'compose', 'appliance.yaml'), compose)
  await copyFile(path.join(productDirectory, 'appliance.lock'), path.join(directory, 'appliance.lock'))
  const run = async (...parameters: string[]): Promise<string> => {
    const env = { SLIPWAY_CACHE: cacheDirectory }
    const { exitCode, stdout, stderr } = await slipway(parameters, { cwd: directory, env })
    if (exitCode !== 0) throw new Error(`slipway ${parameters.join(' ')}: ${stderr}`)
    return String(stdout)
  }
  await run('key', '--out', 'signing')
  await run('lock')
  return {
    directory,
    command,
    bundle: async (version, ...more) => {
      await writeFile(path.join(directory, 'appliance.yaml'), appliance(version))
      const to = ['--platform', 'linux/amd64', '--key', 'signing.key', '--out', path.join(folder, 'out')]
      const packed = JSON.parse(await run('bundle', ...to, '--json', ...more)) as { readonly folder: string }
      return packed.folder
    },
  }
}

/** The services of the reference, which a site's settings know, with other work. */
const compose = `
x-quick: &quick
  command: [/bin/sleep, "100000"]
  stop_grace_period: 1s
  healthcheck: { test: [CMD, /bin/true], interval: 100ms, timeout: 5s, retries: 2, start_period: 1s }
services:
  dns: *quick
  optimiser:
    <<: *quick
    x-slipway: { reload: null }
`
