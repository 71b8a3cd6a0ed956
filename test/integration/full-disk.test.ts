import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fetchDebs } from '../../src/debian/deb-store.ts'
import { downloadFile } from '../../src/debian/download.ts'
import { cacheFolder } from '../../src/lib/cache.ts'
import { ArchiveServer } from '../support/archive-server.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'

const name = 'thing_1.0_all.deb'
const data = randomBytes(3_000_000)
const sha256 = createHash('sha256').update(data).digest('hex')

let scratch: Scratch
let disk: string
let server: ArchiveServer

beforeEach(async () => {
  scratch = await makeScratch('full-disk')
  disk = path.join(scratch.path, 'disk')
  await mkdir(disk)
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'slipway-test', disk])
  server = await ArchiveServer.start(new Map([[`pool/${name}`, data]]))
})

afterEach(async () => {
  await server.close()
  await execa('umount', [disk])
  await scratch.remove()
})

it('a disk that fills up during a download is one sentence, and what was written is gone', async () => {
  const file = { url: `${server.url}/pool/${name}`, name, size: data.length, sha256 }
  const folder = path.join(disk, 'debs')
  await expect(downloadFile(file, path.join(folder, 'file'))).rejects.toMatchObject({
    code: 'disk-full',
    message: `The disk of ${folder} has no room for ${name} (3.00 MB); free some space, or set SLIPWAY_CACHE to a folder that has it, and run the same command again.`,
  })
  expect(await readdir(folder)).toEqual([])
})

it('packages that the disk of the cache cannot hold are not begun', async () => {
  await writeFile(path.join(disk, 'ballast'), Buffer.alloc(1_000_000))
  const deb = { path: `pool/${name}`, size: data.length, sha256, suite: 'trixie' }
  const source = {
    suite: 'trixie',
    archiveComponents: ['main'],
    updates: true,
    security: true,
    mirror: server.url,
    snapshots: [],
    keyrings: [],
  }
  const cache = cacheFolder({ SLIPWAY_CACHE: disk })
  await expect(fetchDebs([deb], source, { cache })).rejects.toThrow(
    /^The packages need 3\.00 MB and the disk of \S+debs has 1\.\d+ MB left; free some space, or set SLIPWAY_CACHE/,
  )
  expect(server.paths).toEqual([])
  expect(await readdir(cache.debs)).toEqual([])
})
