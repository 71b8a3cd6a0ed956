import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Context } from '../../../src/cli/context.ts'
import { chooseAppliance, containersInSight } from '../../../src/cli/host-name.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { appliancesOf } from '../../../src/host/inspect.ts'
import { ownLabels } from '../../../src/host/labels.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { repository } from '../../support/slipway.ts'

let scratch: Scratch
let directory: string

beforeAll(async () => {
  scratch = await makeScratch('host-name')
  directory = path.join(scratch.path, 'acme-wan')
  await mkdir(directory)
  const extended = path.relative(directory, repository).split(path.sep).join('/')
  await writeFile(
    path.join(directory, 'appliance.yaml'),
    `extends: ${extended}\nname: acme-wan\nversion: 1.0.0\n`,
  )
})
afterAll(() => scratch.remove())

/** An Engine that holds appliances: name → product. */
function holding(appliances: Record<string, string>): Engine {
  const containers = Object.entries(appliances).map(([name, product]) => ({
    labels: { [ownLabels.appliance]: name, [ownLabels.product]: product } as Record<string, string>,
  }))
  const list = async (wanted: Record<string, string> = {}) =>
    containers.filter(({ labels }) => Object.entries(wanted).every(([key, value]) => labels[key] === value))
  return { containers: { list } } as unknown as Engine
}

const choose = (env: NodeJS.ProcessEnv, appliances: Record<string, string>, name?: string) =>
  chooseAppliance({ cwd: directory, env } as Context, holding(appliances), {
    directory: '.',
    ...(name !== undefined && { name }),
  }).catch((error: Error) => error.message)

describe('without --name, a verb is about', () => {
  const plain = {}

  it.each([
    ['the only appliance of the host, of whatever product', { shop: 'other-wan' }, 'shop'],
    ['the product of the folder, where nothing is installed', {}, 'acme-wan'],
    ['the appliance that is called as the product', { 'acme-wan': 'acme-wan', b: 'acme-wan' }, 'acme-wan'],
    ['the only one of the product, among others', { shop: 'acme-wan', b: 'other-wan' }, 'shop'],
    [
      'nothing, where several could be meant',
      { a: 'acme-wan', b: 'acme-wan' },
      'This host holds several appliances; say which with --name: a, b.',
    ],
  ])('%s', async (_, appliances, chosen) => {
    expect(await choose(plain, appliances)).toBe(chosen)
  })
})

describe("a partner's own command", () => {
  const branded = { SLIPWAY_COMMAND: 'acme-wan' }

  it('takes no appliance of another product unless it is named', async () => {
    const others = { shop: 'other-wan' }
    expect([await choose(branded, others), await choose(branded, others, 'shop')]).toEqual([
      'acme-wan',
      'shop',
    ])
  })

  it('sees those of its product alone', async () => {
    const context = { cwd: directory, env: branded } as unknown as Context
    const engine = holding({ a: 'acme-wan', b: 'acme-wan', c: 'other-wan' })
    expect(appliancesOf(await containersInSight(context, engine, { directory: '.' }))).toEqual(['a', 'b'])
  })
})
