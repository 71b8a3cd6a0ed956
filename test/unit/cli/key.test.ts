import { readdir, rm } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { slipway } from '../../support/slipway.ts'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('key')
})
afterEach(() => scratch.remove())

it('a pair of keys of which one half is there already is not made by half', async () => {
  const make = () => slipway(['key', '--out', 'acme'], { cwd: scratch.path })
  for (const [kept, lost] of [
    ['acme.pub', 'acme.key'],
    ['acme.key', 'acme.pub'],
  ] as const) {
    await make()
    await rm(`${scratch.path}/${lost}`)
    const { exitCode, stderr } = await make()
    expect([exitCode, stderr, await readdir(scratch.path)]).toEqual([
      2,
      `slipway: ${scratch.path}/${kept} is there already, and a key is never written over; choose another --out.`,
      [kept],
    ])
    await rm(`${scratch.path}/${kept}`)
  }
})
