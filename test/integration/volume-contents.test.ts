import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { keeperService, type TinyProduct, writeTinyProduct } from '../support/tiny-services.ts'

const name = `slipway-contents-${process.pid}`

let engine: Engine
let scratch: Scratch
let older: TinyProduct
let newer: TinyProduct

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await makeScratch('contents')
  const write = (version: string, holds: string) =>
    writeTinyProduct(scratch.path, {
      name,
      version,
      services: keeperService('volumes: ["data:/data"]'),
      rest: `volumes: { data: { x-slipway: { holds: ${holds} } } }\n`,
    })
  older = await write('1.0.0', 'cache')
  newer = await write('2.0.0', 'settings')
})

afterAll(async () => {
  await slipway(['uninstall', '--name', name, '--yes'])
  for (const version of ['1.0.0', '2.0.0']) await engine.images.remove(`${name}:${version}`)
  await scratch.remove()
})

const install = async ({ directory, layout }: TinyProduct): Promise<void> => {
  const { exitCode, stderr } = await slipway(['-C', directory, 'install', layout, '--name', name])
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
}

/** What a backup would take, and what a reset of caches says of the volume. */
async function judged({ directory }: TinyProduct) {
  const backup = await slipway(['backup', 'x', '--name', name, '--dry-run', '--json'])
  const reset = await slipway(['-C', directory, 'reset', 'cache', '--name', name, '--dry-run', '--json'])
  const { goes, stays } = JSON.parse(reset.stdout)
  const volumes = (items: { kind: string; name: string; holds?: string }[]) =>
    items
      .filter(({ kind, name: one }) => kind === 'volume' && !one.endsWith('_state'))
      .map((item) => `${item.name} (${item.holds})`)
  const kept = JSON.parse(backup.stdout).archives.filter(({ type }: { type: string }) => type === 'volume')
  return { kept, goes: volumes(goes), stays: volumes(stays) }
}

it('what a release calls the content of a volume is what backup and reset go by, whoever made the volume', async () => {
  await install(older)
  expect(await judged(older)).toEqual({ kept: [], goes: [`${name}_data (cache)`], stays: [] })
  await install(newer)
  expect(await judged(newer)).toEqual({
    kept: [{ type: 'volume', of: 'data', holds: 'settings' }],
    goes: [],
    stays: [`${name}_data (settings)`],
  })
})
