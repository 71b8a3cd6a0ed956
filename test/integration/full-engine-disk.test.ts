import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { withStoredSetting } from '../../src/host/state-document.ts'
import { readState, updateState } from '../../src/host/state-volume.ts'
import { FaultBench, type Outcome } from '../support/fault-bench.ts'
import { PrivateEngine } from '../support/private-engine.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'

const MiB = 2 ** 20
let own: PrivateEngine
let bench: FaultBench
let scratch: Scratch
let disk: string

beforeAll(async () => {
  scratch = await makeScratch('full-engine')
  disk = path.join(scratch.path, 'disk')
  await mkdir(disk)
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'slipway-test', disk])
  own = await PrivateEngine.start(256 * MiB)
  bench = await FaultBench.open(own.engine, 'slipway-full')
  await bench.must(bench.install('1.0.0'))
  await bench.writeLarge('/data/large', 4)
})
afterAll(async () => {
  await execa('umount', [disk])
  await scratch.remove()
  await bench.close()
  await own.stop()
})

/** The exit code and the last line, with what differs from run to run left out. */
function said({ exitCode, stderr }: Outcome): { exitCode: number | null; said: string | undefined } {
  const last = stderr.trim().split('\n').at(-1)
  return { exitCode, said: last?.replaceAll(/[\d.]+ MB/g, 'N MB').replaceAll(/\/tmp\/[^/ ]+/g, '/tmp/*') }
}

it('a backup that its disk may not hold is refused before it begins', async () => {
  const picture = await bench.picture()
  await writeFile(path.join(disk, 'ballast'), Buffer.alloc(MiB))
  const outcome = await bench.run(bench.verb('backup', path.join(disk, 'backup')))
  expect(said(outcome)).toEqual({
    exitCode: 3,
    said: 'slipway: The backup may take N MB, and the disk of /tmp/*/disk has N MB left; nothing was written. Name a file on another disk, or leave out --cache.',
  })
  expect(await readdir(disk)).toEqual(['ballast'])
  expect(await bench.picture()).toEqual(picture)
})

it('a disk that fills while a backup is written keeps the former file', async () => {
  const file = path.join(disk, 'backup')
  await writeFile(path.join(disk, 'ballast'), '')
  await writeFile(file, 'the former')
  // Changed files are not measured beforehand.
  await bench.writeLarge('/changed', 6)
  const large = await bench.engine.containers.inspect(`${bench.name}-keeper-1`)
  expect(large?.State.Running).toBe(true)
  const emptied = await bench.run(bench.verb('backup', file))
  expect(said(emptied)).toEqual({
    exitCode: 3,
    said: expect.stringMatching(/^slipway: The backup may take/),
  })
  await bench.writeLarge('/data/large', 1)
  expect(said(await bench.run(bench.verb('backup', file)))).toEqual({
    exitCode: 1,
    said: 'slipway: No room is left for /tmp/*/disk/backup; free some on the disk of /tmp/*/disk and run the same command again.',
  })
  expect((await readdir(disk)).sort()).toEqual(['backup', 'ballast'].sort())
  expect(await readFile(file, 'utf8')).toBe('the former')
})

it('a restore that the Engine’s disk cannot hold is refused before anything changes', async () => {
  await bench.must(bench.verb('backup', bench.backupFile))
  const [picture, data] = [await bench.picture(), await bench.readData()]
  await own.fillDisk(3 * MiB)
  const outcome = await bench.run(bench.restore())
  expect(said(outcome)).toEqual({
    exitCode: 3,
    said: "slipway: /tmp/*/backup holds N MB, and the Docker host's disk has N MB left (/tmp/*/data); nothing was changed. `docker system df` shows what fills it: make room, then run the same command again.",
  })
  expect([await bench.picture(), await bench.readData()]).toEqual([picture, data])
  await own.freeDisk()
})

it('what is remembered stays whole where a full disk takes nothing more', async () => {
  const { engine, name } = bench
  const before = await readState(engine, name)
  await own.fillDisk()
  const large = updateState(engine, name, (document) =>
    withStoredSetting(document, 'upstreamDns', '192.0.2.1 '.repeat(30_000)),
  )
  await expect(large).rejects.toMatchObject({ code: 'no-space' })
  expect(await readState(engine, name)).toEqual(before)
  await own.freeDisk()
  await updateState(engine, name, (document) => withStoredSetting(document, 'upstreamDns', '192.0.2.1'))
  expect((await readState(engine, name)).settings).toEqual({ upstreamDns: '192.0.2.1' })
})
