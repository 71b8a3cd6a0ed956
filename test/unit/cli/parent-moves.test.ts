import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lockfile } from '../../../src/lock/lockfile.ts'
import { slipway } from '../../support/slipway.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

let parent: TinyProduct
let child: string
let first: string

const app = { name: 'app', version: '1.0' }
const tool = { name: 'tool', version: '1.0' }

beforeAll(async () => {
  parent = await TinyProduct.create([app, tool])
  await parent.write({ 'images/app/rootfs/etc/app.conf': 'one\n' })
  child = path.join(path.dirname(parent.directory), 'acme')
  await mkdir(child)
  await writeFile(
    path.join(child, 'appliance.yaml'),
    'extends: ../product\nname: acme\nversion: 1.0.0\nbrand: { vendor: Acme, command: acme }\n',
  )
})
afterAll(() => parent.remove())

const typed = async (...words: string[]) => {
  const { exitCode, stdout, stderr } = await slipway(['-C', child, ...words], { env: parent.env })
  return { exitCode, text: `${stdout}\n${stderr}`.trim().replaceAll(/[\d.]+ k?B/g, 'SIZE') }
}
const lockText = () => readFile(path.join(child, 'appliance.lock'), 'utf8')

it('a lock remembers what the parent brought, and the build goes by it', async () => {
  expect((await typed('lock')).exitCode).toBe(0)
  first = await lockText()
  const { parent: locked } = JSON.parse(first) as Lockfile
  expect({ name: locked?.name, version: locked?.version }).toEqual({ name: 'tiny', version: '1.0.0' })
  expect(locked?.values['components.app.packages']).toEqual(['app'])
  expect(Object.keys(locked?.files ?? {})).toEqual(['images/app/rootfs/etc/app.conf'])
  expect((await typed('build')).exitCode).toBe(0)
  expect(await typed('diff')).toEqual({
    exitCode: 0,
    text: 'tiny 1.0.0 is as it was when appliance.lock was made.\nNo package changes.',
  })
})

it('a parent that moved on stops the build with one sentence, and a plain lock too', async () => {
  await parent.write({
    'appliance.yaml': parent.appliance
      .replace('version: 1.0.0', 'version: 1.1.0')
      .replace('vendor: Tiny', 'vendor: Tiny Two'),
    'images/app/component.yaml': 'packages: [app, tool]\n',
    'images/app/rootfs/etc/app.conf': 'two\n',
  })
  const refusal =
    "slipway: tiny has moved on from 1.0.0 to 1.1.0 (2 values and 1 file) since appliance.lock was made. What changes: slipway diff. To take it: slipway lock --update tiny, or all packages' newest too: slipway lock --update"
  expect(await typed('build')).toEqual({ exitCode: 2, text: refusal })
  expect(await typed('lock')).toEqual({ exitCode: 2, text: refusal })
  expect(await lockText()).toBe(first)
})

it('diff shows the values, files and packages that change beneath, and what stays the partner’s own', async () => {
  expect(await typed('diff')).toEqual({
    exitCode: 0,
    text: `tiny has moved on from 1.0.0 to 1.1.0 (2 values and 1 file)
Values (2)
  ~ brand.vendor: Tiny → Tiny Two (yours stays: appliance.yaml:4)
  ~ components.app.packages: ["app"] → ["app","tool"]
Files (1)
  ~ images/app/rootfs/etc/app.conf
linux/amd64: 2 packages, SIZE (+SIZE)
  + tool 1.0 (app, SIZE)
To take it: slipway lock --update tiny`,
  })
  expect(await lockText()).toBe(first)
})

it('lock --update takes what the parent has become, and says it', async () => {
  const { exitCode, text } = await typed('lock', '--update', 'tiny')
  expect([exitCode, text.split('\n')[0]]).toEqual([
    0,
    'tiny has moved on from 1.0.0 to 1.1.0 (2 values and 1 file)',
  ])
  expect((JSON.parse(await lockText()) as Lockfile).parent?.version).toBe('1.1.0')
  expect((await typed('build')).exitCode).toBe(0)
})

it('a lock whose memory of the parent was changed by hand is refused', async () => {
  const text = await lockText()
  await writeFile(
    path.join(child, 'appliance.lock'),
    text.replace('"brand.vendor": "Tiny Two"', '"brand.vendor": "X"'),
  )
  expect(await typed('build')).toEqual({
    exitCode: 2,
    text: 'slipway: appliance.lock was changed by hand or damaged: what tiny brought does not have the digest that stands there. Put the committed one back, or delete it and run: slipway lock',
  })
  await writeFile(path.join(child, 'appliance.lock'), text)
})
