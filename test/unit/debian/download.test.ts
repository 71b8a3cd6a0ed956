import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DownloadOptions, downloadBytes, downloadFile } from '../../../src/debian/download.ts'
import { bytesBegun, unfinishedName } from '../../../src/lib/begun-download.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { ArchiveServer } from '../../support/archive-server.ts'
import { repository } from '../../support/slipway.ts'
import { until } from '../../support/until.ts'

const data = randomBytes(300_000)
const name = 'thing_1.0_all.deb'
const at = `pool/${name}`
const quick: DownloadOptions = { backoff: 1, stallTimeout: 15_000, connectTimeout: 15_000 }
/** Long enough for a busy machine, which else is taken for a dead line. */
const stallTimeout = 1000
const advice = 'try again later, or set another mirror (debian.mirror in appliance.yaml, or SLIPWAY_MIRROR)'

let server: ArchiveServer
let folder: string
let target: string

beforeEach(async () => {
  server = await ArchiveServer.start(new Map([[at, data]]))
  folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-download-'))
  target = path.join(folder, 'new', 'file')
})

afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

function signed(changes: { url?: string; size?: number; sha256?: string } = {}) {
  const sha256 = createHash('sha256').update(data).digest('hex')
  return { url: `${server.url}/${at}`, name, size: data.length, sha256, ...changes }
}

async function outcome(options: DownloadOptions = {}, file = signed()): Promise<unknown> {
  try {
    await downloadFile(file, target, { ...quick, ...options })
    return (await readFile(target)).equals(data) ? 'whole' : 'wrong'
  } catch (error) {
    return error instanceof SlipwayError ? [error.code, error.message] : error
  }
}

/** What each request asked for. How much of half a file arrives is not for the server to say. */
const asked = () =>
  server.requests.map(({ range }) => (/^bytes=[1-9]\d*-$/.test(range ?? '') ? 'the rest' : 'all'))

const left = () => readdir(path.dirname(target)).catch(() => [])

describe('a download', () => {
  it('writes the whole file under its name and nothing beside it', async () => {
    expect(await outcome()).toBe('whole')
    expect(await left()).toEqual(['file'])
  })

  it('of an empty file makes an empty file', async () => {
    server.files.set('empty', Buffer.alloc(0))
    const sha256 = createHash('sha256').digest('hex')
    await downloadFile(signed({ url: `${server.url}/empty`, size: 0, sha256 }), target, quick)
    expect(await readFile(target, 'utf8')).toBe('')
  })

  it('tells every byte once, also where it began again', async () => {
    server.misbehave(at, { half: 0.5 }, 'no-range')
    let bytes = 0
    expect(await outcome({ onBytes: (by) => (bytes += by) })).toBe('whole')
    expect(bytes).toBe(data.length)
  })

  it('tries again after 503, and then succeeds', async () => {
    server.misbehave(at, { status: 503 }, { status: 502 })
    expect(await outcome()).toBe('whole')
    expect(server.paths).toEqual([at, at, at])
  })

  it('waits as long as 429 asks in Retry-After', async () => {
    server.misbehave(at, { status: 429, headers: { 'retry-after': '1' } })
    const began = Date.now()
    expect(await outcome()).toBe('whole')
    expect(Date.now() - began).toBeGreaterThanOrEqual(990)
  })

  it('asks only for the rest after half a file', async () => {
    server.misbehave(at, { half: 0.5 })
    expect(await outcome()).toBe('whole')
    expect(asked()).toEqual(['all', 'the rest'])
  })

  it('counts its attempts anew where one brought it further: a line that is cut again and again still ends', async () => {
    server.misbehave(at, ...Array(4).fill({ half: 0.3 }), { half: 0 }, { half: 0.3 })
    expect(await outcome({ attempts: 3 })).toBe('whole')
    expect(asked()).toEqual(['all', ...Array(6).fill('the rest')])
  })

  it('goes on after a 503 that came in the middle', async () => {
    server.misbehave(at, { half: 0.5 }, { status: 503 })
    expect(await outcome()).toBe('whole')
    expect(asked()).toEqual(['all', 'the rest', 'the rest'])
  })

  it('goes on where an earlier run was cut', async () => {
    server.misbehave(at, { half: 0.5 })
    await outcome({ attempts: 1 })
    expect(await left()).toEqual(['file.partial'])
    expect(await outcome()).toBe('whole')
    expect(asked()).toEqual(['all', 'the rest'])
    expect(await left()).toEqual(['file'])
  })

  it.each([
    ['are rotten', randomBytes(1000)],
    ['are more than the file has', randomBytes(300_001)],
    ['are as many as the file has, and wrong', randomBytes(300_000)],
  ])('begins again when the bytes of an earlier run %s', async (_, rotten) => {
    await outcome()
    await rm(target)
    await writeFile(`${target}.partial`, rotten)
    expect(await outcome()).toBe('whole')
    expect(await left()).toEqual(['file'])
  })

  it('begins again but once: what is wrong then is refused', async () => {
    await mkdir(path.dirname(target))
    await writeFile(`${target}.partial`, randomBytes(300_000))
    server.misbehave(at, { bytes: randomBytes(300_000) })
    expect(await outcome()).toMatchObject(['wrong-hash', expect.stringContaining('has another SHA-256')])
    expect({ asked: asked(), left: await left() }).toEqual({ asked: ['all'], left: [] })
  })

  it('begins again when the mirror refuses the range', async () => {
    server.misbehave(at, { half: 0.5 }, { status: 416 })
    expect(await outcome()).toBe('whole')
  })

  it('tries again after a reset and after a stall', async () => {
    server.misbehave(at, 'reset', { stall: 0.5 }, 'silence')
    expect(await outcome({ stallTimeout })).toBe('whole')
    expect(server.paths).toHaveLength(4)
  })

  it('follows a redirect', async () => {
    server.files.set('elsewhere', data)
    server.misbehave(at, { status: 302, headers: { location: `${server.url}/elsewhere` } })
    expect(await outcome()).toBe('whole')
  })

  it('goes through the proxy that http_proxy names, but to this machine itself', async () => {
    const unreachable = 'http://mirror.example/debian'
    const env = { http_proxy: new URL(server.url).origin }
    expect(await outcome({ env }, signed({ url: `${unreachable}/${at}` }))).toBe('whole')
    await rm(target)
    const dead = { http_proxy: 'http://127.0.0.1:9' }
    expect(await outcome({ env: dead })).toBe('whole')
  })
})

describe('a download fails in one sentence, and leaves nothing under its name', () => {
  const fails = (why: string, code = 'download-failed') => [
    code,
    `${name} cannot be downloaded from ${server.url}/${at}: ${why}; ${advice}.`,
  ]

  it('when the mirror does not have the file', async () => {
    server.files.delete(at)
    expect(await outcome()).toEqual(fails('it answers 404: it does not have the file', 'not-found'))
    expect(server.paths).toEqual([at])
    expect(await left()).toEqual([])
  })

  it('when the mirror is not available', async () => {
    server.misbehave(at, ...Array(4).fill({ status: 503 }))
    expect(await outcome()).toEqual(fails('it answers 503: it is not available now, asked 4 times'))
    expect(await left()).toEqual([])
  })

  it('when 429 asks for a longer wait than anyone would take', async () => {
    server.misbehave(at, { status: 429, headers: { 'retry-after': '3600' } })
    expect(await outcome()).toEqual(fails('it answers 429: it says there were too many requests'))
  })

  it('without the password that its address may hold', async () => {
    const url = `${server.url}/none`.replace('http://', 'http://user:secret@')
    expect(await outcome({}, signed({ url }))).toEqual([
      'not-found',
      `${name} cannot be downloaded from ${server.url}/none: it answers 404: it does not have the file; ${advice}.`,
    ])
  })

  it('when the line is cut before anything more comes', async () => {
    server.misbehave(at, { half: 0.5 }, ...Array(2).fill({ half: 0 }))
    expect(await outcome({ attempts: 2 })).toEqual(fails('the connection was cut, asked 2 times'))
  })

  it('when it stops sending', async () => {
    server.misbehave(at, { stall: 0.5 })
    expect(await outcome({ attempts: 1, stallTimeout })).toEqual(fails('it stopped sending for 1 s'))
  })

  it('when nothing answers', async () => {
    server.misbehave(at, 'silence')
    expect(await outcome({ attempts: 1, stallTimeout })).toEqual(fails('it did not answer for 1 s'))
    expect(await left()).toEqual([])
  })

  it('when nothing listens', async () => {
    const url = `${server.url}/${at}`
    const file = signed()
    await server.close()
    expect(await outcome({}, file)).toEqual([
      'download-failed',
      `${name} cannot be downloaded from ${url}: nothing listens there (connection refused); ${advice}.`,
    ])
    server = await ArchiveServer.start()
  })

  it('when the bytes are others', async () => {
    server.misbehave(at, { bytes: randomBytes(data.length) })
    expect(await outcome()).toEqual([
      'wrong-hash',
      `The file that ${new URL(server.url).host} serves for ${name} has another SHA-256 than the signed index says, so it is refused; ${advice}.`,
    ])
    expect(await left()).toEqual([])
  })

  it('when the size is another', async () => {
    server.misbehave(at, { bytes: data.subarray(1) })
    expect(await outcome()).toEqual([
      'wrong-hash',
      `The file that ${new URL(server.url).host} serves for ${name} has 299999 bytes where the signed index says 300000, so it is refused; ${advice}.`,
    ])
    expect(await left()).toEqual([])
  })

  it('when more comes than the index says, with no length announced', async () => {
    const chatty = http.createServer((_, response) => {
      response.write(data)
      response.end('and more')
    })
    await new Promise<void>((resolve) => chatty.listen(0, '127.0.0.1', resolve))
    const { port } = chatty.address() as AddressInfo
    const result = await outcome({}, signed({ url: `http://127.0.0.1:${port}/x` }))
    chatty.close()
    expect(result).toEqual([
      'wrong-hash',
      `The file that 127.0.0.1:${port} serves for ${name} has more bytes than the 300000 that the signed index says, so it is refused; ${advice}.`,
    ])
    expect(await left()).toEqual([])
  })

  it('when redirects go in a circle', async () => {
    server.misbehave(at, ...Array(9).fill({ status: 302, headers: { location: `${server.url}/${at}` } }))
    expect(await outcome()).toEqual(fails('it redirects more than five times'))
  })

  it.each([
    ['file:///etc/passwd', 'only http and https can be read here, not "file:"'],
    ['http://', '"http://" is not an address'],
  ])('when a redirect goes to %s', async (location, why) => {
    server.misbehave(at, { status: 302, headers: { location } })
    expect(await outcome()).toEqual(fails(why))
  })

  it('when the proxy does not let it through', async () => {
    const env = { https_proxy: new URL(server.url).origin }
    expect(await outcome({ env }, signed({ url: 'https://mirror.example/x' }))).toEqual([
      'download-failed',
      `${name} cannot be downloaded from https://mirror.example/x: the connection was cut, asked 4 times; ${advice}.`,
    ])
  })

  it('when the target cannot be made', async () => {
    await writeFile(path.join(folder, 'new'), 'a file in the way')
    expect(await outcome()).toEqual([
      'cannot-write',
      `${path.dirname(target)} cannot be written to (EEXIST); set SLIPWAY_CACHE to a folder that can, and run the same command again.`,
    ])
  })
})

describe('an aborted download', () => {
  it('throws the reason of its signal, and keeps what came for the next run', async () => {
    server.misbehave(at, { stall: 0.5 })
    const controller = new AbortController()
    const reason = new SlipwayError('interrupted', 'Interrupted.')
    const onBytes = () => void setTimeout(() => controller.abort(reason), 20)
    expect(await outcome({ signal: controller.signal, onBytes })).toEqual(['interrupted', 'Interrupted.'])
    expect(await left()).toEqual(['file.partial'])
  })

  it('does not sit out the wait between two attempts', async () => {
    server.misbehave(at, { status: 503 })
    const controller = new AbortController()
    setTimeout(() => controller.abort(new SlipwayError('interrupted', 'Interrupted.')), 50)
    const began = Date.now()
    expect(await outcome({ signal: controller.signal, backoff: 10_000 })).toEqual([
      'interrupted',
      'Interrupted.',
    ])
    expect(Date.now() - began).toBeLessThan(9000)
  })

  it('asks for nothing when it was aborted before', async () => {
    const signal = AbortSignal.abort(new SlipwayError('interrupted', 'Interrupted.'))
    expect(await outcome({ signal })).toEqual(['interrupted', 'Interrupted.'])
    expect(server.paths).toEqual([])
  })
})

describe('a download whose process was killed', () => {
  /** What a process leaves that is killed in the middle; returns its parent, which never asks how it ended. */
  async function killed(): Promise<ChildProcess> {
    server.misbehave(at, { stall: 0.5 })
    const program = `import { downloadFile } from ${JSON.stringify(path.join(repository, 'dist/debian/download.js'))}
await downloadFile(${JSON.stringify(signed())}, ${JSON.stringify(target)}, { stallTimeout: 60_000 })`
    const started = ['-c', '"$@" & echo $!; exec sleep 60', 'sh', process.execPath]
    const parent = spawn('sh', [...started, '--input-type=module', '-e', program])
    const [id] = await once(parent.stdout, 'data')
    await until('a part of the file', async () => ((await bytes()) > 0 ? true : undefined))
    process.kill(Number(id), 'SIGKILL')
    await until(
      'its end',
      async () => / Z /.test(await readFile(`/proc/${Number(id)}/stat`, 'utf8')) || undefined,
    )
    return parent
  }

  /** Of all that there is of the file. */
  const bytes = async () => {
    const sizes = (await left()).map(async (one) => (await stat(path.join(folder, 'new', one))).size)
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  }

  it('goes on where it stopped, and nothing of it stays, whether or not its parent has heard of its end', async () => {
    const parent = await killed()
    try {
      expect(await left()).toEqual([expect.stringMatching(/^file\..*\.tmp$/)])
      expect(await outcome()).toBe('whole')
      expect({ asked: asked(), left: await left() }).toEqual({ asked: ['all', 'the rest'], left: ['file'] })
    } finally {
      parent.kill()
    }
  })

  it('goes on with the most of what several left, removes the rest, and leaves what is of another file', async () => {
    await mkdir(path.dirname(target))
    const ended = (of: string): string => unfinishedName(of).replace(`.${process.pid}.`, '.99999999.')
    await writeFile(ended(target), data.subarray(0, 10))
    await writeFile(ended(target), data.subarray(0, 1000))
    await writeFile(`${target}.partial`, data.subarray(0, 100))
    await writeFile(`${target}2.partial`, data.subarray(0, 2000))
    expect(await bytesBegun(target)).toBe(1000)
    expect(await outcome()).toBe('whole')
    expect(server.requests.map(({ range }) => range)).toEqual(['bytes=1000-'])
    expect((await left()).sort()).toEqual(['file', 'file2.partial'])
    expect(await bytesBegun(target)).toBe(0)
  })

  it('leaves alone what another machine writes to, or a process that lives', async () => {
    await mkdir(path.dirname(target))
    // No process here has the other machine's number.
    const others = ['file.elsewhere.99999999.01234567.tmp', path.basename(unfinishedName(target))].sort()
    for (const other of others) await writeFile(path.join(path.dirname(target), other), data.subarray(0, 9))
    expect(await outcome()).toBe('whole')
    expect({ asked: asked(), left: await left() }).toEqual({ asked: ['all'], left: ['file', ...others] })
  })
})

describe('a download into memory', () => {
  const file = () => ({ url: `${server.url}/${at}`, name: 'The InRelease of trixie', limit: 300_000 })

  it('tries again after a cut', async () => {
    server.misbehave(at, { half: 0.5 }, 'reset')
    expect((await downloadBytes(file(), quick)).equals(data)).toBe(true)
  })

  it('stops at its limit', async () => {
    await expect(downloadBytes({ ...file(), limit: 1000 }, quick)).rejects.toThrow(
      `The InRelease of trixie cannot be downloaded from ${server.url}/${at}: it sends more than the 1.00 kB such a file may have; ${advice}.`,
    )
  })
})
