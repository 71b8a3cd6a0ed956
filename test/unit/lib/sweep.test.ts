import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { runPrefix, sweepEnded, sweepLeftovers, waiting } from '../../../src/lib/sweep.ts'
import { testFolder } from '../../support/test-folder.ts'

it('only files that nobody comes back for are swept', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-sweep-'))
  const now = Date.parse('2026-03-10T12:00:00Z')
  const daysOld: Record<string, number> = {
    'old.deb': 400,
    old: 31,
    new: 29,
    'old.tmp': 2,
    'new.tmp': 0.5,
    'old.partial': 31,
    'new.partial': 29,
  }
  for (const [name, days] of Object.entries(daysOld)) {
    const date = new Date(now - days * 24 * 3600 * 1000)
    await writeFile(path.join(folder, name), '')
    await utimes(path.join(folder, name), date, date)
  }
  await sweepLeftovers(folder, { now })
  expect(await readdir(folder)).toEqual(['new', 'new.partial', 'new.tmp', 'old', 'old.deb'])
  await sweepLeftovers(folder, { now, lifetimes: waiting })
  expect(await readdir(folder)).toEqual(['new', 'new.partial', 'new.tmp', 'old.deb'])
  await sweepLeftovers(path.join(folder, 'nowhere'), { now })
  await rm(folder, { recursive: true })
})

it('the folder of a run goes with the next one when its process has ended, and no other does', async () => {
  const folder = await testFolder('sweep')
  const { pid } = spawnSync('true')
  const left = `run-${pid}-abc`
  for (const name of [left, `${runPrefix('run-')}def`, 'run-1-init', 'run-abc', `other-${pid}-abc`])
    await mkdir(path.join(folder, name))
  await writeFile(path.join(folder, left, 'file'), 'x')
  await sweepEnded(folder, 'run-')
  expect(await readdir(folder)).toEqual([
    `other-${pid}-abc`,
    'run-1-init',
    `run-${process.pid}-def`,
    'run-abc',
  ])
})
