import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DebFile } from '../../../src/debian/deb-file.ts'
import {
  cachedDeb,
  type DebStoreOptions,
  discardDeb,
  fetchDebs,
  locateDebs,
} from '../../../src/debian/deb-store.ts'
import type { DebianSource } from '../../../src/debian/source.ts'
import { cacheFolder } from '../../../src/lib/cache.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import type { ProgressEvent } from '../../../src/lib/progress.ts'
import { ArchiveServer } from '../../support/archive-server.ts'

let folder: string
let mirror: ArchiveServer
let security: ArchiveServer
let openssl: DebFile
let squid: DebFile
let fixed: DebFile

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-debs-'))
  mirror = await ArchiveServer.start()
  security = await ArchiveServer.start()
  openssl = publish(mirror, 'pool/main/o/openssl/openssl_3.0-1+b1_amd64.deb', 'trixie')
  squid = publish(mirror, 'pool/main/s/squid/squid_6.1-1_amd64.deb', 'trixie')
  fixed = publish(security, 'pool/updates/main/l/libssl/libssl_3.0-2_amd64.deb', 'trixie-security')
})

afterEach(async () => {
  await mirror.close()
  await security.close()
  await rm(folder, { recursive: true })
})

function publish(server: ArchiveServer, at: string, suite: string, content = `bytes of ${at}`): DebFile {
  const data = Buffer.from(content)
  server.files.set(at, data)
  return { path: at, size: data.length, sha256: createHash('sha256').update(data).digest('hex'), suite }
}

const source = (changes: Partial<DebianSource> = {}): DebianSource => ({
  suite: 'trixie',
  archiveComponents: ['main'],
  updates: true,
  security: true,
  mirror: mirror.url,
  securityMirror: security.url,
  snapshots: [],
  keyrings: [],
  ...changes,
})

const options = (changes: Partial<DebStoreOptions> = {}): DebStoreOptions => ({
  cache: cacheFolder({ SLIPWAY_CACHE: path.join(folder, 'cache') }),
  env: {},
  aptFolder: path.join(folder, 'apt'),
  download: { attempts: 2, backoff: 1, stallTimeout: 15_000 },
  ...changes,
})

const vendor = () => path.join(folder, 'vendor')

async function vendored(deb: DebFile, content?: string): Promise<string> {
  await mkdir(vendor(), { recursive: true })
  const file = path.join(vendor(), path.posix.basename(deb.path))
  await writeFile(file, content ?? mirror.files.get(deb.path) ?? security.files.get(deb.path)!)
  return file
}

const refusal = (debs: DebFile[], from = source(), how = options()) =>
  fetchDebs(debs, from, how).then(
    () => 'accepted',
    (error) => (error instanceof SlipwayError ? [error.code, error.message] : error),
  )

const cached = () => readdir(path.join(folder, 'cache', 'debs')).catch(() => [])

describe('the .debs of a lock', () => {
  it('come from the mirror of their suite, each under its hash', async () => {
    const files = await fetchDebs([openssl, squid, fixed, openssl], source(), options())
    expect(files).toEqual(
      new Map([openssl, squid, fixed].map((deb) => [deb.sha256, cachedDeb(deb, options().cache)])),
    )
    expect(await readFile(files.get(fixed.sha256)!, 'utf8')).toBe(`bytes of ${fixed.path}`)
    expect([mirror.paths.sort(), security.paths]).toEqual([[openssl.path, squid.path], [fixed.path]])
  })

  it('come from the cache the second time, and no connection is opened', async () => {
    await fetchDebs([openssl, fixed], source(), options())
    const asked = mirror.requests.length
    await fetchDebs([openssl, fixed], source(), options())
    expect(mirror.requests.length).toBe(asked)
  })

  it('come from the vendor folder first, and no connection is opened', async () => {
    const files = [await vendored(openssl), await vendored(fixed)]
    // Nothing says where a mirror would be: it is not even looked for.
    const { mirror: _, securityMirror: __, ...unnamed } = source()
    const found = await fetchDebs([openssl, fixed], unnamed, options({ vendor: vendor() }))
    expect([...found.values()]).toEqual(files)
    expect([...mirror.paths, ...security.paths]).toEqual([])
  })

  it('are downloaded at most six at a time', async () => {
    const debs = Array.from({ length: 30 }, (_, n) =>
      publish(mirror, `pool/main/p/p${n}/p${n}_1_all.deb`, 'trixie'),
    )
    mirror.delay = 20
    await fetchDebs(debs, source(), options())
    expect(mirror.mostAtOnce).toBe(6)
  })

  it('tell their bytes as they come', async () => {
    const events: ProgressEvent[] = []
    await fetchDebs([openssl, squid], source(), options({ report: (event) => events.push(event) }))
    const total = openssl.size + squid.size
    const bytes = events.reduce((sum, event) => sum + (event.type === 'advance' ? event.by : 0), 0)
    expect(events[0]).toEqual({ type: 'start', task: 'Download packages', total, unit: 'bytes' })
    expect(bytes).toBe(total)
    expect(events.at(-1)).toEqual({
      type: 'finish',
      task: 'Download packages',
      detail: `2 files, ${total} B`,
    })
  })

  it('that are cached with another size are downloaded again', async () => {
    await fetchDebs([openssl], source(), options())
    const file = cachedDeb(openssl, options().cache)
    await writeFile(file, 'short')
    await fetchDebs([openssl], source(), options())
    expect(await readFile(file, 'utf8')).toBe(`bytes of ${openssl.path}`)
  })

  it('that turned out to be wrong in the cache are downloaded again once discarded', async () => {
    await fetchDebs([openssl], source(), options())
    const file = cachedDeb(openssl, options().cache)
    await writeFile(file, 'x'.repeat(openssl.size))
    expect([...(await locateDebs([openssl], options())).values()]).toEqual([file])
    await discardDeb(openssl, options())
    await fetchDebs([openssl], source(), options())
    expect(await readFile(file, 'utf8')).toBe(`bytes of ${openssl.path}`)
  })

  it("come from whichever of the host's apt sources has them, where another vendor's refuses them or has others", async () => {
    const vendor = await ArchiveServer.start()
    vendor.misbehave(openssl.path, { status: 403 })
    vendor.files.set(squid.path, Buffer.from('another vendor’s'))
    await mkdir(path.join(folder, 'apt'))
    const lines = [vendor.url, mirror.url].map((url) => `deb ${url} trixie main\n`)
    await writeFile(path.join(folder, 'apt', 'sources.list'), lines.join(''))
    const { mirror: _, ...unnamed } = source()
    try {
      expect((await fetchDebs([openssl, squid], unnamed, options())).size).toBe(2)
    } finally {
      await vendor.close()
    }
  })

  it('that the mirror no longer has come from the first snapshot that has them', async () => {
    const snapshots = [await ArchiveServer.start(), await ArchiveServer.start(new Map(mirror.files))]
    mirror.files.delete(openssl.path)
    const from = source({ snapshots: snapshots.map((server) => server.url) })
    expect(await refusal([openssl, squid], from)).toBe('accepted')
    expect(snapshots.map((server) => server.paths)).toEqual([[openssl.path], [openssl.path]])
    for (const server of snapshots) await server.close()
  })
})

describe('fetching .debs is refused', () => {
  it('when neither mirror nor snapshot has them: every one is named, and the way on', async () => {
    mirror.files.clear()
    security.files.clear()
    expect(await refusal([squid, fixed, openssl])).toEqual([
      'locked-file-gone',
      `${mirror.url}, ${security.url} no longer has libssl_3.0-2_amd64.deb, openssl_3.0-1+b1_amd64.deb, squid_6.1-1_amd64.deb, and no debian.snapshots are named; run \`slipway lock --update libssl openssl squid\` to move to what it has now.`,
    ])
    const snapshots = [`${mirror.url}/snapshot`]
    expect(await refusal([squid], source({ snapshots }))).toEqual([
      'locked-file-gone',
      `${mirror.url} no longer has squid_6.1-1_amd64.deb, nor do the snapshot archives (${mirror.url}/snapshot); run \`slipway lock --update squid\` to move to what it has now.`,
    ])
    expect(await cached()).toEqual([])
  })

  it('when many are gone: some are named, and all are updated', async () => {
    const debs = Array.from({ length: 10 }, (_, n) => publish(mirror, `pool/p${n}_1_all.deb`, 'trixie'))
    mirror.files.clear()
    const listed = Array.from({ length: 8 }, (_, n) => `p${n}_1_all.deb`).join(', ')
    expect(await refusal(debs)).toEqual([
      'locked-file-gone',
      `${mirror.url} no longer has ${listed} and 2 more, and no debian.snapshots are named; run \`slipway lock --update\` to move to what it has now.`,
    ])
  })

  it('when the mirror has another file under the name', async () => {
    mirror.files.set(openssl.path, Buffer.alloc(openssl.size, 'x'))
    expect(await refusal([openssl])).toEqual([
      'wrong-hash',
      `The file that ${new URL(mirror.url).host} serves for openssl_3.0-1+b1_amd64.deb has another SHA-256 than the signed index says, so it is refused; try again later, or set another mirror (debian.mirror in appliance.yaml, or SLIPWAY_MIRROR).`,
    ])
    expect(await cached()).toEqual([])
  })

  it('at the first error: the others stop', async () => {
    const debs = Array.from({ length: 20 }, (_, n) => publish(mirror, `pool/p${n}_1_all.deb`, 'trixie'))
    for (const deb of debs.slice(1)) mirror.misbehave(deb.path, 'silence')
    mirror.misbehave(debs[0]!.path, { status: 403 })
    const began = Date.now()
    expect((await refusal(debs, source(), options({ download: { stallTimeout: 60_000 } })))[0]).toBe(
      'download-failed',
    )
    expect(Date.now() - began).toBeLessThan(30_000)
    expect(mirror.paths.length).toBeLessThanOrEqual(6)
  })

  it('at an interrupt', async () => {
    mirror.misbehave(openssl.path, 'silence')
    const controller = new AbortController()
    setTimeout(() => controller.abort(new SlipwayError('interrupted', 'Interrupted.')), 50)
    const how = options({ signal: controller.signal, download: { stallTimeout: 60_000 } })
    expect(await refusal([openssl, squid], source(), how)).toEqual(['interrupted', 'Interrupted.'])
  })

  it('when a vendored file has another size', async () => {
    const file = await vendored(openssl, 'short')
    expect(await refusal([openssl], source(), options({ vendor: vendor() }))).toEqual([
      'bad-vendored-file',
      `${file} is not the package that the lock names: it has 5 bytes where the lock says ${openssl.size}; run \`slipway vendor\` to put it right, or delete it.`,
    ])
  })

  it('when the disk has no room for all of them, before the first is asked for', async () => {
    const huge = { ...openssl, size: 1e17 }
    const [code, message] = await refusal([huge])
    expect([code, message.replace(/has [\d.]+ \wB left/, 'has little left')]).toEqual([
      'disk-full',
      `The packages need 100000 TB and the disk of ${path.join(folder, 'cache', 'debs')} has little left; free some space, or set SLIPWAY_CACHE to a folder that has it, and run the same command again.`,
    ])
    expect(mirror.paths).toEqual([])
  })
})

it('a wrong file in the vendor folder is not deleted, but named', async () => {
  const file = await vendored(openssl, 'x'.repeat(openssl.size))
  await expect(discardDeb(openssl, options({ vendor: vendor() }))).rejects.toThrow(
    `${file} is not the package that the lock names: it has another SHA-256 than the lock says; run \`slipway vendor\` to put it right, or delete it.`,
  )
  expect(await readdir(vendor())).toEqual([path.basename(file)])
})
