import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { slipway } from '../../support/slipway.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

let product: TinyProduct

beforeEach(async () => {
  product = await TinyProduct.create([])
  await product.type('key', '--out', 'vendor')
  await product.write({
    'appliance.yaml': `${product.appliance}keys: [vendor.pub]\n`,
    'images/app/component.yaml': 'packages: [app]\nlicence: wan\n',
    'compose/appliance.yaml':
      'services:\n  app: { image: tiny, volumes: ["licence:/licence:ro"] }\nvolumes:\n  licence: { x-slipway: { holds: licence } }\n',
  })
})
afterEach(() => product.remove())

const issue = (customer: string, ...more: string[]) =>
  product.type('licence', 'issue', '--key', 'vendor.key', '--customer', customer, ...more)
const licences = async () => (await readdir(product.directory)).filter((name) => name.startsWith('licence-'))

describe('a licence is not issued', () => {
  it.each([
    [
      'for a feature that no component asks for',
      ['Ex', '--feature', 'wna'],
      'No component of tiny asks for the feature "wna"; those asked for are wan; did you mean --feature wan?',
    ],
    [
      'for a customer without a name',
      [' '],
      '--customer is empty, or more than one line; write a name in one line.',
    ],
  ])('%s', async (_, [customer, ...more], sentence) => {
    expect(await issue(customer!, ...more)).toEqual({ exitCode: 2, said: `slipway: ${sentence}` })
    expect(await licences()).toEqual([])
  })

  it('over the licence of another customer, or another file', async () => {
    await issue('A B')
    expect((await issue('A B', '--trial', '3')).exitCode).toBe(0)
    const file = path.join(product.directory, 'licence-a-b.json')
    expect(await issue('a-b')).toEqual({
      exitCode: 2,
      said: `slipway: ${file} is there already and no licence of a-b for tiny; choose another name with --out FILE.`,
    })
    await writeFile(path.join(product.directory, 'notes'), 'x')
    expect((await issue('A B', '--out', 'notes')).exitCode).toBe(2)
  })

  it('into a folder, or below a file, as if that were its name', async () => {
    const refused = (why: string) => ({
      exitCode: 2,
      said: `slipway: ${why}; name a file with --out FILE.`,
    })
    const { directory } = product
    expect(await issue('Ex', '--out', 'images')).toEqual(refused(`${directory}/images is a folder`))
    expect(await issue('Ex', '--out', 'vendor.pub/ex.json')).toEqual(
      refused(`${directory}/vendor.pub/ex.json cannot be a file (ENOTDIR)`),
    )
  })

  it('where nothing asks for one', async () => {
    await product.write({ 'images/app/component.yaml': 'packages: [app]\n' })
    expect(await issue('Ex')).toEqual({
      exitCode: 2,
      said: 'slipway: No component of tiny asks for a licence; write licence: FEATURE into the component.yaml of one that does.',
    })
  })
})

it('a licence that has ended is told of, and nothing says to install it', async () => {
  const { stdout } = await slipway(
    ['licence', 'issue', '--key', 'vendor.key', '--customer', 'Ex', '--expires', '2020-01-01'],
    { cwd: product.directory },
  )
  expect(stdout.split('\n').slice(-2)).toEqual([
    'It ended on 2020-01-01: no host takes it.',
    `Written to ${path.join(product.directory, 'licence-ex.json')}.`,
  ])
})

it('a licence that was changed after it was signed is shown as that', async () => {
  await issue('Ex')
  const file = path.join(product.directory, 'licence-ex.json')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace('"Ex"', '"Why"'))
  const { exitCode, stdout } = await slipway(['licence', 'show', file], { cwd: product.directory })
  expect([exitCode, stdout.split('\n').at(-1)]).toEqual([
    1,
    `It was changed after the key ${JSON.parse(text).key} signed it: it does not count.`,
  ])
})

it('a private key that others can read is told of, and signs', async () => {
  await chmod(path.join(product.directory, 'vendor.key'), 0o640)
  expect(await issue('Ex')).toEqual({
    exitCode: 0,
    said: 'vendor.key can be read by others on this machine; to keep it yours: chmod 600 vendor.key',
  })
})

it('a private key under keys is refused before anything is built', async () => {
  await product.write({ 'appliance.yaml': `${product.appliance}keys: [vendor.key]\n` })
  expect(await product.type('validate')).toEqual({
    exitCode: 2,
    said: `slipway: ${path.join(product.directory, 'vendor.key')} is a private key, and the public one is asked for; name the other file of the pair, and give this one to nobody.`,
  })
})
