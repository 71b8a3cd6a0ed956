import { spawn } from 'node:child_process'
import { appendFile, cp, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BundledImage } from '../../src/bundle/format.ts'
import { connectEngine } from '../../src/engine/connect.ts'
import { sha256Hex } from '../../src/lib/digest.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository, slipway } from '../support/slipway.ts'

const { productDirectory, cacheDirectory } = builtImage()
const program = path.join(repository, 'dist', 'program', 'main.js')

interface Result {
  readonly name: string
  readonly folder: string
  readonly size: number
  readonly prefix: { readonly size: number; readonly sha256: string }
  readonly images: readonly BundledImage[]
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}

let scratch: Scratch
let first: Result

/** Packs a product directory for amd64 in a shell of its own, with that umask and time zone. */
async function pack(directory: string, out: string, umask: string, zone: string, ...more: readonly string[]) {
  const parameters = ['-C', directory, 'bundle', '--platform', 'amd64', '--json', '--out', out, ...more]
  const child = spawn(
    'sh',
    ['-c', `umask ${umask}; exec "$@"`, 'sh', process.execPath, program, ...parameters],
    {
      cwd: scratch.path,
      env: { ...process.env, TZ: zone, SLIPWAY_CACHE: cacheDirectory },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as Result
}

/** A copy of the product directory, with the vendor's key in it. */
async function copyProduct(name: string): Promise<string> {
  const to = path.join(scratch.path, name)
  for (const one of ['appliance.yaml', 'appliance.lock', 'images', 'compose', 'profiles'])
    await cp(path.join(productDirectory, one), path.join(to, one), { recursive: true })
  await cp(path.join(scratch.path, 'vendor.pub'), path.join(to, 'vendor.pub'))
  await appendFile(path.join(to, 'appliance.yaml'), '\nkeys: [vendor.pub]\n')
  return to
}

beforeAll(async () => {
  scratch = await makeScratch('bundle-reference')
  await slipway(['key', '--out', 'vendor'], { cwd: scratch.path })
  first = await pack(await copyProduct('product'), 'first', '022', 'UTC', '--key', 'vendor.key')
})
afterAll(() => scratch.remove())

describe('the bundle of the reference appliance', () => {
  it('is the same to the byte from another directory, with another umask, in another time zone', async () => {
    const copy = await copyProduct('copy')
    const second = await pack(copy, 'second', '077', 'Pacific/Kiritimati', '--key', 'vendor.key')
    expect(second.files).toEqual(first.files)
    expect((await readdir(second.folder)).sort()).toEqual(
      ['README.md', 'SHA256SUMS', 'install.ps1', 'install.sh', first.name].sort(),
    )
  })

  it('is hardly larger than its distinct layers', () => {
    const layers = new Map(
      first.images.flatMap(({ layers }) => layers.map(({ digest, size }) => [digest, size])),
    )
    const sum = [...layers.values()].reduce((total, size) => total + size, 0)
    expect(first.size / sum).toBeLessThan(1.02)
  })

  it('begins with an archive of the installer that docker load takes, and of nothing else', async () => {
    const { images } = await connectEngine()
    const installer = first.images.find(({ role }) => role === 'installer')!
    const bundle = await readFile(path.join(first.folder, first.name))
    const prefix = bundle.subarray(0, first.prefix.size)
    expect(sha256Hex(prefix)).toBe(first.prefix.sha256)
    expect(await images.load(Readable.from([prefix]))).toEqual([`Loaded image: ${installer.reference}`])
    expect((await images.inspect(installer.reference))?.id).toBe(installer.config.digest)
    await images.remove(installer.reference)
  })

  it('an update of the brand alone is less than 1 MB', async () => {
    const branded = await copyProduct('branded')
    const file = path.join(branded, 'appliance.yaml')
    const appliance = await readFile(file, 'utf8')
    await writeFile(
      file,
      appliance
        .replace('version: 0.1.0', 'version: 0.1.1')
        .replace('product: Slipway Reference', 'product: Acme'),
    )
    const since = path.join(first.folder, first.name)
    const update = await pack(branded, 'update', '022', 'UTC', '--key', 'vendor.key', '--since', since)
    const present = update.images.map(({ layers }) =>
      layers.filter((layer) => !layer.absent).map(({ name }) => name),
    )
    expect({ small: update.size < 1_000_000, present }).toEqual({
      small: true,
      present: [['brand'], ['installer-product']],
    })
  })
})
