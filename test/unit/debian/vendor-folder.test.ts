import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DebFile } from '../../../src/debian/deb-file.ts'
import { applyVendor, planVendor } from '../../../src/debian/vendor-folder.ts'

let folder: string
let store: string
const a = debOf('a_1_all.deb')
const b = debOf('b_1_amd64.deb')
const c = debOf('c_1_all.deb')

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-vendor-'))
  store = await mkdtemp(path.join(os.tmpdir(), 'slipway-store-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
  await rm(store, { recursive: true })
})

function debOf(name: string): DebFile {
  const content = `bytes of ${name}`
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { path: `pool/main/${name}`, size: content.length, sha256, suite: 'trixie' }
}

async function vendor(debs: readonly DebFile[], prune = false) {
  const plan = await planVendor(folder, debs, { prune })
  const files = new Map<string, string>()
  for (const deb of debs) {
    const file = path.join(store, deb.sha256)
    await writeFile(file, `bytes of ${path.basename(deb.path)}`)
    files.set(deb.sha256, file)
  }
  await applyVendor(folder, plan, files, () => Promise.reject(new Error('nothing to heal')))
  return plan
}

it('a vendor folder holds each .deb under its pool name, and a list that sha256sum reads', async () => {
  expect(await vendor([b, a])).toEqual({ kept: [], added: [a, b], replaced: [], removed: [] })
  expect(await readdir(folder)).toEqual(['SHA256SUMS', 'a_1_all.deb', 'b_1_amd64.deb'])
  expect(await readFile(path.join(folder, 'SHA256SUMS'), 'utf8')).toBe(
    `${a.sha256}  a_1_all.deb\n${b.sha256}  b_1_amd64.deb\n`,
  )
})

it('vendoring again changes nothing', async () => {
  await vendor([a, b])
  expect(await vendor([a, b])).toEqual({ kept: [a, b], added: [], replaced: [], removed: [] })
})

it('what is locked no more is removed, what someone else put there stays', async () => {
  await vendor([a, b])
  await writeFile(path.join(folder, 'mine_1_all.deb'), 'mine')
  await writeFile(path.join(folder, 'README'), 'mine')
  expect(await vendor([b, c])).toEqual({ kept: [b], added: [c], replaced: [], removed: ['a_1_all.deb'] })
  expect(await readdir(folder)).toEqual([
    'README',
    'SHA256SUMS',
    'b_1_amd64.deb',
    'c_1_all.deb',
    'mine_1_all.deb',
  ])
})

it('pruning removes other .debs too, and nothing else', async () => {
  await writeFile(path.join(folder, 'mine_1_all.deb'), 'mine')
  await writeFile(path.join(folder, 'README'), 'mine')
  expect((await vendor([a], true)).removed).toEqual(['mine_1_all.deb'])
  expect(await readdir(folder)).toEqual(['README', 'SHA256SUMS', 'a_1_all.deb'])
})

it('a .deb with other bytes is replaced', async () => {
  await vendor([a])
  await writeFile(path.join(folder, 'a_1_all.deb'), 'BYTES OF a_1_all.deb')
  expect(await vendor([a])).toEqual({ kept: [], added: [], replaced: [a], removed: [] })
  expect(await readFile(path.join(folder, 'a_1_all.deb'), 'utf8')).toBe('bytes of a_1_all.deb')
})

it('a source with other bytes is healed once, and never copied', async () => {
  const plan = await planVendor(folder, [a], { prune: false })
  const rotten = path.join(store, 'rotten')
  const sound = path.join(store, 'sound')
  await writeFile(rotten, 'x'.repeat(a.size))
  await writeFile(sound, 'bytes of a_1_all.deb')
  const healed: DebFile[] = []
  await applyVendor(folder, plan, new Map([[a.sha256, rotten]]), async (deb) => {
    healed.push(deb)
    return sound
  })
  expect(healed).toEqual([a])
  expect(await readFile(path.join(folder, 'a_1_all.deb'), 'utf8')).toBe('bytes of a_1_all.deb')

  await rm(path.join(folder, 'a_1_all.deb'))
  await expect(
    applyVendor(folder, plan, new Map([[a.sha256, rotten]]), () => Promise.resolve(rotten)),
  ).rejects.toThrow('a_1_all.deb changes while it is read; check the disk of the cache.')
  expect(await readdir(folder)).toEqual(['SHA256SUMS'])
})

it('a list that was edited can name nothing outside its folder', async () => {
  const outside = path.join(store, 'outside.deb')
  await writeFile(outside, 'mine')
  const relative = path.relative(folder, outside)
  await writeFile(path.join(folder, 'SHA256SUMS'), `${a.sha256}  ${relative}\nnonsense\n`)
  expect((await planVendor(folder, [], { prune: false })).removed).toEqual([])
})

it('two locked .debs of one name are refused', async () => {
  const other = { ...debOf('z_1_all.deb'), path: a.path }
  await expect(planVendor(folder, [a, other], { prune: false })).rejects.toThrow(
    'Two locked packages have the file name a_1_all.deb; vendor each platform into a folder of its own (--platform).',
  )
})
