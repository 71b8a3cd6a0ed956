import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { slipway } from '../../support/slipway.ts'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('key')
})
afterEach(() => scratch.remove())

it.each([
  ['ed25519', []],
  [
    'p256',
    [
      'A p256 key never signs twice alike: a bundle that is packed again has another bundle.json.sig, and nothing else differs; with ed25519 the bundles are the same.',
    ],
  ],
])('key says of the type %s whether it signs the same twice', async (type, said) => {
  const { stdout } = await slipway(['key', '--type', type], { cwd: scratch.path })
  expect(stdout.split('\n').slice(3)).toEqual(said)
})
