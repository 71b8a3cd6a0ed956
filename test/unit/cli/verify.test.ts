import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { slipway } from '../../support/slipway.ts'
import { tinyContent, tinyPublicKey, writeTinyBundle, writeUnsigned } from '../../support/tiny-bundle.ts'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('verify')
})
afterEach(() => scratch.remove())

it('verify ends with an install that takes what it took', async () => {
  const next = async (...parameters: string[]) =>
    (await slipway(['verify', ...parameters], { cwd: scratch.path })).stdout.split('\n').at(-1)
  await writeFile(path.join(scratch.path, 'a.pub'), tinyPublicKey.export({ type: 'spki', format: 'pem' }))
  const signed = await writeTinyBundle(scratch.path)
  expect(await next(signed, '--key', 'a.pub')).toBe(
    `Next: slipway install --bundle ${signed} --key ${path.join(scratch.path, 'a.pub')}`,
  )
  const unsigned = await writeUnsigned(scratch.path, await tinyContent(scratch.path))
  expect(await next(unsigned, '--allow-unsigned')).toBe(
    `Next: slipway install --bundle ${unsigned} --allow-unsigned`,
  )
})
