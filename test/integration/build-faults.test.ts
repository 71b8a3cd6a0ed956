import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, link, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLayout, readLayoutBlob } from '../../src/image/read-layout.ts'
import type { Lockfile } from '../../src/lock/lockfile.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository, slipway } from '../support/slipway.ts'

const program = path.join(repository, 'dist', 'program', 'main.js')
let scratch: Scratch
let product: string
let lock: Lockfile
let expected: string

beforeAll(async () => {
  const { productDirectory, layoutDirectory } = builtImage()
  scratch = await makeScratch('build-faults')
  product = path.join(scratch.path, 'product')
  for (const part of ['appliance.yaml', 'appliance.lock', 'images', 'compose', 'profiles']) {
    await cp(path.join(productDirectory, part), path.join(product, part), { recursive: true })
  }
  lock = JSON.parse(await readFile(path.join(product, 'appliance.lock'), 'utf8'))
  expected = (await readLayout(layoutDirectory, 'linux/amd64')).manifest.digest
})
afterAll(() => scratch.remove())

/** A cache with every .deb and no layer. */
async function coldCache(name: string): Promise<string> {
  const cache = path.join(scratch.path, name)
  const debs = path.join(builtImage().cacheDirectory, 'debs')
  await mkdir(path.join(cache, 'debs'), { recursive: true })
  for (const deb of await readdir(debs)) await link(path.join(debs, deb), path.join(cache, 'debs', deb))
  return cache
}

const parameters = (out: string) => [
  '-C',
  product,
  'build',
  '--platform',
  'linux/amd64',
  '--out',
  out,
  '--json',
]
const build = (cache: string, out: string, env: NodeJS.ProcessEnv = {}) =>
  slipway(parameters(out), { env: { SLIPWAY_CACHE: cache, ...env } })

/** A .deb of the lock, in the cache. */
function cachedDeb(cache: string, name: string): { file: string; sha256: string } {
  const { sha256 } = lock.platforms['linux/amd64']!.packages.find((entry) => entry.name === name)!
  return { file: path.join(cache, 'debs', `${sha256}.deb`), sha256 }
}

async function replaceWith(file: string, bytes: Uint8Array): Promise<void> {
  await rm(file) // a hard link to the shared cache
  await writeFile(file, bytes)
}

async function leftovers(...folders: string[]): Promise<string[]> {
  const names = await Promise.all(
    folders.map((folder) => readdir(folder, { recursive: true }).catch(() => [])),
  )
  return names.flat().filter((name) => name.endsWith('.tmp'))
}

describe('a damaged .deb in the cache', () => {
  it('is fetched again, whether a bit flipped, the end is missing or another package took its name', async () => {
    const cache = await coldCache('damaged')
    const flipped = cachedDeb(cache, 'bash').file
    const bytes = await readFile(flipped)
    bytes[bytes.length >> 1]! ^= 1
    await replaceWith(flipped, bytes)
    const cut = cachedDeb(cache, 'dash').file
    await replaceWith(cut, await readFile(cut))
    await truncate(cut, 1000)
    const swapped = cachedDeb(cache, 'grep').file
    const other = await readFile(cachedDeb(cache, 'sed').file)
    const size = (await readFile(swapped)).length
    await replaceWith(swapped, Buffer.concat([other, Buffer.alloc(size)]).subarray(0, size))

    const { exitCode, stdout } = await build(cache, path.join(scratch.path, 'damaged-out'))
    expect({ exitCode, manifest: JSON.parse(stdout).images[0].manifest }).toEqual({
      exitCode: 0,
      manifest: expected,
    })
  })

  it('stops the build where no archive can be reached, and nothing is written', async () => {
    const cache = await coldCache('offline')
    const { file } = cachedDeb(cache, 'bash')
    const bytes = await readFile(file)
    bytes[1000]! ^= 1
    await replaceWith(file, bytes)
    const out = path.join(scratch.path, 'offline-out')
    const dead = {
      SLIPWAY_MIRROR: 'http://127.0.0.1:9/debian',
      SLIPWAY_SECURITY_MIRROR: 'http://127.0.0.1:9/security',
    }
    const { exitCode, stderr } = await build(cache, out, dead)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^slipway: .*127\.0\.0\.1.*$/m)
    expect(await readdir(out).catch(() => 'absent')).toBe('absent')
  })
})

describe('a vendored .deb', () => {
  it('of other bytes is refused by name, never replaced', async () => {
    const cache = path.join(scratch.path, 'vendor-cache')
    const vendor = path.join(scratch.path, 'vendor')
    const wrong = lock.platforms['linux/amd64']!.packages.find((entry) => entry.name === 'bash')!
    await mkdir(vendor, { recursive: true })
    for (const entry of lock.platforms['linux/amd64']!.packages) {
      const bytes = await readFile(path.join(builtImage().cacheDirectory, 'debs', `${entry.sha256}.deb`))
      if (entry === wrong) bytes[500]! ^= 1
      await writeFile(path.join(vendor, path.posix.basename(entry.path)), bytes)
    }
    const out = path.join(scratch.path, 'vendor-out')
    const { exitCode, stderr } = await slipway([...parameters(out), '--vendor', vendor], {
      env: { SLIPWAY_CACHE: cache },
    })
    const file = path.join(vendor, path.posix.basename(wrong.path))
    expect({ exitCode, last: stderr.trim().split('\n').at(-1) }).toEqual({
      exitCode: 1,
      last: `slipway: ${file} is not the package that the lock names: it has another SHA-256 than the lock says; run \`slipway vendor\` to put it right, or delete it.`,
    })
  })
})

describe('Ctrl-C', () => {
  it('at any moment leaves the old layout or none, no temporary file, and the next build whole', async () => {
    const cache = await coldCache('interrupted')
    const out = path.join(scratch.path, 'interrupted-out')
    for (const wait of [50, 150, 400, 700, 1000, 1500, 2200, 3000]) {
      const child = spawn(process.execPath, [program, ...parameters(out)], {
        env: { ...process.env, SLIPWAY_CACHE: cache },
        stdio: 'ignore',
      })
      const closed = once(child, 'close')
      await sleep(wait)
      child.kill('SIGINT')
      const [code, signal] = await closed
      // Before Node listens, the signal itself ends it; 0 where the build was quicker.
      expect([0, 130, null]).toContain(code)
      expect([null, 'SIGINT']).toContain(signal)
      expect(await leftovers(out, path.join(cache, 'layers'))).toEqual([])
      const manifest = await readLayout(out, 'linux/amd64').then(
        (source) => source.manifest.digest,
        (error) => error.code,
      )
      expect([expected, 'no-layout']).toContain(manifest)
    }
    const { exitCode, stdout } = await build(cache, out)
    expect({ exitCode, manifest: JSON.parse(stdout).images[0].manifest }).toEqual({
      exitCode: 0,
      manifest: expected,
    })
  })

  it('and even SIGKILL never leave a half-written layer that a later build takes', async () => {
    const cache = await coldCache('killed')
    const out = path.join(scratch.path, 'killed-out')
    for (const wait of [600, 1400, 2400]) {
      const child = spawn(process.execPath, [program, ...parameters(out)], {
        env: { ...process.env, SLIPWAY_CACHE: cache },
        stdio: 'ignore',
      })
      const closed = once(child, 'close')
      await sleep(wait)
      child.kill('SIGKILL')
      await closed
    }
    const { exitCode, stdout } = await build(cache, out)
    expect({ exitCode, manifest: JSON.parse(stdout).images[0].manifest }).toEqual({
      exitCode: 0,
      manifest: expected,
    })
  })
})

describe('two builds at once', () => {
  it('in one cache and one output folder both end well, with the same image', async () => {
    const cache = await coldCache('both')
    const out = path.join(scratch.path, 'both-out')
    const runs = await Promise.all([build(cache, out), build(cache, out)])
    expect(runs.map(({ exitCode, stdout }) => [exitCode, JSON.parse(stdout).images[0].manifest])).toEqual([
      [0, expected],
      [0, expected],
    ])
    const source = await readLayout(out, 'linux/amd64')
    for (const layer of source.layers) await readLayoutBlob(out, layer)
    expect(await leftovers(out, path.join(cache, 'layers'))).toEqual([])
  })
})

describe('a full disk', () => {
  it('is told in a sentence, and the layout that stood there still stands', async () => {
    const mount = path.join(scratch.path, 'small')
    await mkdir(mount)
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=60m', 'tmpfs', mount])
    try {
      const cache = builtImage().cacheDirectory
      const out = path.join(mount, 'out')
      expect((await build(cache, out)).exitCode).toBe(0)
      await writeFile(path.join(mount, 'filler'), Buffer.alloc(18_000_000))
      await writeFile(path.join(product, 'images', 'optimiser', 'rootfs', 'new'), 'changes the layer\n')
      const { exitCode, stderr } = await build(cache, out)
      expect(exitCode).toBe(1)
      expect(stderr.trim().split('\n').at(-1)).toMatch(
        /^slipway: No room is left for .*; free some on the disk of .* and run the same command again\.$/,
      )
      const source = await readLayout(out, 'linux/amd64')
      for (const layer of source.layers) await readLayoutBlob(out, layer)
      expect({ manifest: source.manifest.digest, left: await leftovers(out) }).toEqual({
        manifest: expected,
        left: [],
      })
    } finally {
      await rm(path.join(product, 'images', 'optimiser', 'rootfs', 'new'), { force: true })
      await execa('umount', [mount])
    }
  })
})
