import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { inspectHost } from '../../src/host/inspect.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { keeperService, type TinyProduct, writeTinyProduct } from '../support/tiny-services.ts'

const name = `slipway-other-${process.pid}`
const [acme, zeta] = [`${name}-acme`, `${name}-zeta`]

let engine: Engine
let scratch: Scratch
let products: Record<string, TinyProduct>

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await makeScratch('other-product')
  const write = (product: string) =>
    writeTinyProduct(path.join(scratch.path, product), {
      name: product,
      services: keeperService('volumes: ["data:/data"]'),
      rest: 'volumes: { data: {} }\n',
    })
  products = { [acme]: await write(acme), [zeta]: await write(zeta) }
})

afterAll(async () => {
  await slipway(['uninstall', '--name', name, '--yes'])
  for (const { tags } of await engine.images.list())
    for (const tag of tags) if (tag.startsWith(`${name}-`)) await engine.images.remove(tag)
  await scratch.remove()
})

/** A verb that installs, of a product, under the one name. */
async function type(product: string, verb: string, ...more: string[]) {
  const { directory, layout } = products[product]!
  const { exitCode, stdout, stderr } = await slipway(['-C', directory, verb, layout, '--name', name, ...more])
  return { exitCode, stdout, stderr }
}

/** Everything of that name on the Engine. */
async function picture() {
  const { images, foreign, ...own } = await inspectHost(engine, name)
  return { ...own, tags: images.flatMap(({ tags }) => tags).filter((tag) => tag.startsWith(name)) }
}

const says = `${name} is the product ${acme} on this host, and ${zeta} would come in its place and take over its data; choose another --name, \`slipway uninstall --name ${name}\` first, or add --replace ${acme} where that is what you want.`

describe('an install over another product', () => {
  it('is refused before anything is changed, and plan, --dry-run and preflight say the same', async () => {
    expect(await type(acme, 'install')).toMatchObject({ exitCode: 0 })
    const file = ['/bin/sh', '-c', 'echo kept > /data/file']
    await engine.containers.exec(`${name}-keeper-1`, file)
    const before = await picture()
    for (const words of [['install', '--yes'], ['plan'], ['install', '--dry-run']]) {
      const { exitCode, stdout, stderr } = await type(zeta, words[0]!, ...words.slice(1))
      expect({ exitCode, stdout, stderr: stderr.trim() }).toEqual({
        exitCode: 3,
        stdout: '',
        stderr: `slipway: ${says}`,
      })
    }
    const judged = await type(zeta, 'preflight', '--json')
    expect(judged.exitCode).toBe(3)
    expect(JSON.parse(judged.stdout).findings.at(-1)).toEqual({
      check: 'product',
      status: 'fail',
      says: says.split('; ')[0],
      fix: says.split('; ')[1]!.replace(/\.$/, ''),
    })
    expect(await picture()).toEqual(before)
  })

  it('takes its place and its data where it is told which one it replaces; then it is at home', async () => {
    const taken = await type(zeta, 'install', '--replace', acme)
    expect([taken.exitCode, taken.stdout]).toEqual([
      0,
      expect.stringContaining(`made anew: product ${acme} → ${zeta}`),
    ])
    const { stdout } = await engine.containers.exec(`${name}-keeper-1`, [
      '/bin/busybox',
      'cat',
      '/data/file',
      '/etc/product',
    ])
    expect(stdout).toBe(`kept\n${zeta} 1.0.0\n`)
    expect(await type(zeta, 'plan')).toMatchObject({
      exitCode: 0,
      stdout: `${name} is as it should be; nothing to do.`,
    })
    expect(await type(acme, 'plan')).toMatchObject({ exitCode: 3 })
  })

  it('is refused over data that another one left', async () => {
    expect(await slipway(['uninstall', '--name', name, '--keep-data', '--yes'])).toMatchObject({
      exitCode: 0,
    })
    expect(await type(zeta, 'plan')).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(acme) })
    expect(await slipway(['uninstall', '--name', name, '--yes'])).toMatchObject({ exitCode: 0 })
    expect(await type(zeta, 'plan')).toMatchObject({ exitCode: 0 })
  })
})
