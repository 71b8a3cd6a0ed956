import { rm } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { slipway } from '../support/slipway.ts'
import { expectGolden } from './golden.ts'
import { GoldenProduct } from './golden-product.ts'

let product: GoldenProduct

beforeAll(async () => {
  product = await GoldenProduct.create()
  await product.lock()
  await product.build('first')
  await product.edit('appliance.yaml', (text) => text.replace('version: 1.0.0', 'version: 1.1.0'))
  await product.lock(true)
  await product.build('second')
  await rm(path.join(product.directory, 'images', 'recipes', 'tinyd.yaml'))
})

afterAll(() => product.remove())

/** What a user sees who types the commands in the product directory; standard error too, but for the progress. */
async function session(...commands: readonly (readonly string[])[]): Promise<string> {
  const parts: string[] = []
  for (const parameters of commands) {
    const { stdout, stderr, exitCode } = await slipway(parameters, {
      cwd: product.directory,
      env: { SLIPWAY_CACHE: product.env.SLIPWAY_CACHE },
    })
    const texts = [stdout, String(stderr).replace(/^✔ .*\n?/gm, '')]
    parts.push(
      `$ slipway ${parameters.join(' ')}\n${texts.filter(Boolean).join('\n')}\nexit code ${exitCode}\n`,
    )
  }
  return parts.join('\n').replaceAll(product.directory, '<product>')
}

describe('the command line says the same', () => {
  it('for --help', async () => expectGolden('cli-help.txt', await session(['--help'])))

  it('for build --help', async () => expectGolden('cli-build-help.txt', await session(['build', '--help'])))

  it('for why', async () =>
    expectGolden(
      'cli-why.txt',
      await session(['why', 'libtiny1'], ['why', 'tiny-cron', '--platform', 'arm64'], ['why', 'libtiny2']),
    ))

  it('for a script that no recipe knows', async () =>
    expectGolden('cli-unknown-script.txt', await session(['build', '--out', 'third'])))

  it('for diff', async () =>
    expectGolden('cli-diff.txt', await session(['diff', 'first', 'second', '--platform', 'linux/amd64'])))

  it('for test', async () => expectGolden('cli-test.txt', await session(['test', 'second'])))
})
