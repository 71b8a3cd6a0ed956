import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { overlayFile } from '../../../src/definition/overlay.ts'
import { formatParsed } from '../../../src/definition/parsed-ahead.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('parsed')
  await mkdir(path.join(scratch.path, 'product'))
  vi.resetModules()
  vi.stubEnv('SLIPWAY_PRODUCT', path.join(scratch.path, 'product'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await scratch.remove()
})

const text = 'a: 1\nb:\n  c: two\n'

async function parsedWith(file: string) {
  await writeFile(path.join(scratch.path, 'parsed.json'), file)
  const { parseYaml } = await import('../../../src/definition/yaml-file.ts')
  return parseYaml(text, 'x.yaml')
}

it('what was parsed ahead is taken for the text, and where a value stands is found in it', async () => {
  const { value, problems, placeOf } = await parsedWith(formatParsed(new Map([[text, { said: 'ahead' }]])))
  expect({ value, problems, place: placeOf(['b', 'c']) }).toEqual({
    value: { said: 'ahead' },
    problems: [],
    place: { file: 'x.yaml', line: 3 },
  })
})

it.each([
  ['of another text', formatParsed(new Map([['a: 2', { a: 2 }]]))],
  ['that is no JSON', '['],
  ['that is no list of pairs', '{"a":1}'],
])('a file %s changes nothing', async (_, file) => {
  expect((await parsedWith(file)).value).toEqual({ a: 1, b: { c: 'two' } })
})

it('holds nothing that JSON would change', () => {
  expect(formatParsed(new Map([['a: x', { a: Number.POSITIVE_INFINITY }]]))).toBe('[]\n')
})

it('holds every right text of a product', async () => {
  const { parsedFile } = await import('../../../src/bundle/installer/product-files.ts')
  const file = (name: string, content: string) =>
    overlayFile(`usr/share/slipway/product/${name}`, Buffer.from(content))
  const { path: place, content } = parsedFile([
    file('appliance.yaml', text),
    file('profiles/wrong.yaml', 'a: [1'),
    file('appliance.lock', '{}'),
    file('images/web/component.yaml', text),
  ])
  expect([place, JSON.parse(Buffer.from(content!).toString())]).toEqual([
    'usr/share/slipway/parsed.json',
    [[text, { a: 1, b: { c: 'two' } }]],
  ])
})
