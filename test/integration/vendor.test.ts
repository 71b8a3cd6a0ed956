import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lockfile } from '../../src/lock/lockfile.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'

let scratch: Scratch
let product: string
let vendor: string
let names: string[]

/** Nothing listens there: a connection would be an error. */
const offline = () => ({
  SLIPWAY_CACHE: path.join(scratch.path, 'empty-cache'),
  SLIPWAY_MIRROR: 'http://127.0.0.1:9/debian',
  SLIPWAY_SECURITY_MIRROR: 'http://127.0.0.1:9/debian-security',
})

beforeAll(async () => {
  scratch = await makeScratch('vendor')
  const { productDirectory, cacheDirectory } = builtImage()
  product = path.join(scratch.path, 'product')
  vendor = path.join(product, 'vendor')
  for (const name of ['appliance.yaml', 'appliance.lock', 'images', 'compose', 'profiles'])
    await cp(path.join(productDirectory, name), path.join(product, name), { recursive: true })
  const lock = JSON.parse(await readFile(path.join(product, 'appliance.lock'), 'utf8')) as Lockfile
  const platform = 'linux/amd64'
  const locked = [...lock.platforms[platform]!.packages, ...lock.installer![platform]!]
  // A package may be in both images.
  names = [...new Set(locked.map((one) => path.posix.basename(one.path)))].sort()
  const { stderr, exitCode } = await slipway(['-C', product, 'vendor', '--platform', 'amd64'], {
    env: { SLIPWAY_CACHE: cacheDirectory },
  })
  expect([exitCode, exitCode === 0 ? '' : stderr]).toEqual([0, ''])
})

afterAll(() => scratch.remove())

it('the vendor folder holds every locked .deb, and sha256sum finds them all right', async () => {
  expect((await readdir(vendor)).sort()).toEqual(['SHA256SUMS', ...names].sort())
  const checked = await execa('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: vendor })
  expect(checked.stdout).toBe('')
})

it('a build from it opens no connection and gives the same image', async () => {
  const out = path.join(scratch.path, 'layout')
  const parameters = ['-C', product, 'build', '--platform', 'amd64', '--json', '--out', out]
  const built = await slipway(parameters, { env: offline() })
  expect(built.stderr).not.toContain('Download')
  const connected = await slipway([...parameters.slice(0, -1), `${out}-connected`], {
    env: { SLIPWAY_CACHE: builtImage().cacheDirectory },
  })
  expect(JSON.parse(built.stdout).images).toEqual(JSON.parse(connected.stdout).images)
})

it('a build without it, and with no connection, fails and says where it asked', async () => {
  const aside = `${vendor}-aside`
  await rename(vendor, aside)
  const out = path.join(scratch.path, 'nothing')
  const built = await slipway(['-C', product, 'build', '--platform', 'amd64', '--out', out], {
    env: { ...offline(), SLIPWAY_CACHE: path.join(scratch.path, 'another-empty-cache') },
  })
  await rename(aside, vendor)
  expect(built.exitCode).toBe(1)
  expect(built.stderr).toMatch(
    /slipway: \S+\.deb cannot be downloaded from http:\/\/127\.0\.0\.1:9\/debian\S*: nothing listens there \(connection refused\); try again later, or set another mirror/,
  )
  expect(await readdir(out).catch(() => 'not there')).toBe('not there')
})

it('a flipped bit in it stops the build, and vendoring again puts it right', async () => {
  const file = path.join(vendor, names[0]!)
  const bytes = await readFile(file)
  bytes[bytes.length >> 1]! ^= 1
  await writeFile(file, bytes)
  const empty = { ...offline(), SLIPWAY_CACHE: path.join(scratch.path, 'third-cache') }
  const build = ['-C', product, 'build', '--platform', 'amd64', '--out', path.join(scratch.path, 'flipped')]
  const built = await slipway(build, { env: empty })
  expect(built.exitCode).toBe(1)
  expect(built.stderr).toContain(
    `slipway: ${file} is not the package that the lock names: it has another SHA-256 than the lock says; run \`slipway vendor\` to put it right, or delete it.`,
  )
  const healed = await slipway(['-C', product, 'vendor', '--platform', 'amd64', '--json'], {
    env: { SLIPWAY_CACHE: builtImage().cacheDirectory },
  })
  expect(JSON.parse(healed.stdout)).toMatchObject({ added: [], replaced: [names[0]], removed: [] })
})

it('a dry run shows what is missing and brings nothing', async () => {
  await rm(path.join(vendor, names[0]!))
  const dry = await slipway(['-C', product, 'vendor', '--platform', 'amd64', '--dry-run'], { env: offline() })
  expect(dry.stdout.split('\n')[0]).toMatch(/^ {2}\+ .*\.deb \([\d.]+ \w+\)$/)
  expect(dry.stdout).toContain(`${vendor} would hold ${names.length} packages`)
  expect(await readdir(vendor)).not.toContain(names[0])
})

it('Ctrl-C during the download ends it at once; what came is kept for the next run, and no folder is made', async () => {
  const hanging = http.createServer((_, response) => response.write('!<arch>'))
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
  const mirror = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`
  const target = path.join(scratch.path, 'interrupted')
  const cache = path.join(scratch.path, 'interrupted-cache')
  const running = slipway(['-C', product, 'vendor', target], {
    env: { SLIPWAY_CACHE: cache, SLIPWAY_MIRROR: mirror, SLIPWAY_SECURITY_MIRROR: mirror },
  })
  const debs = () => readdir(path.join(cache, 'debs')).catch(() => [])
  while ((await debs()).length < 6) await sleep(20)
  await sleep(200)
  running.kill('SIGINT')
  const { exitCode, stderr } = await running
  hanging.closeAllConnections()
  hanging.close()
  expect([exitCode, stderr]).toEqual([130, 'slipway: Interrupted; nothing was left half-done.'])
  expect((await debs()).map((name) => path.extname(name))).toEqual(Array(6).fill('.partial'))
  expect(await readdir(target).catch(() => 'not there')).toBe('not there')
})
