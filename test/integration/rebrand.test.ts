import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine, ImageDocument } from '../../src/engine/engine.ts'
import { loadImage } from '../../src/engine/load-image.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { silent } from '../../src/lib/progress.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'

const { layoutDirectory } = builtImage()
const name = `slipway-test-rebrand-${process.pid}`
const zeta = `vendor: Zeta Links
product: Zeta Link
command: zeta-link
support: zeta.example
banner: |
  Zeta Link, by Zeta Links
`

let scratch: Scratch
let engine: Engine
let before: ImageDocument

beforeAll(async () => {
  scratch = await makeScratch('rebrand')
  engine = await connectEngine()
  await loadImage(engine, await readLayout(layoutDirectory, 'linux/amd64'), [`${name}:before`], silent)
  before = (await engine.images.inspect(`${name}:before`))!
  await writeFile(path.join(scratch.path, 'zeta.yaml'), zeta)
})
afterAll(async () => {
  for (const image of await engine.images.list()) {
    for (const tag of image.tags) if (tag.startsWith(`${name}:`)) await engine.images.remove(tag)
  }
  await scratch.remove()
})

describe('rebrand --load', () => {
  it('brings the image of this machine into the Engine, of which it sends one layer', async () => {
    const parameters = [
      'rebrand',
      layoutDirectory,
      '--brand',
      'zeta.yaml',
      '--name',
      name,
      '--load',
      '--json',
    ]
    const { exitCode, stdout, stderr } = await slipway(parameters, { cwd: scratch.path })
    expect(exitCode).toBe(0)
    const [told] = JSON.parse(stdout).images
    const after = (await engine.images.inspect(told.name))!
    expect({ id: after.id, layers: after.layers.slice(0, -1), labels: after.labels }).toEqual({
      id: told.config,
      layers: before.layers.slice(0, -1),
      labels: {
        ...before.labels,
        'io.slipway.product': name,
        'org.opencontainers.image.authors': 'zeta.example',
        'org.opencontainers.image.title': 'Zeta Link',
        'org.opencontainers.image.vendor': 'Zeta Links',
      },
    })
    const count = before.layers.length
    expect(stderr).toContain(`sent, ${count - 1} of ${count} layers were there`)
  })

  it('and what runs of it bears the brand', async () => {
    const [reference] = (await engine.images.list())
      .flatMap(({ tags }) => tags)
      .filter((tag) => tag.startsWith(`${name}:`) && !tag.endsWith(':before'))
    const run = ['run', '--rm', '--network', 'none', '--entrypoint', 'cat', reference!, '/etc/motd']
    expect((await execa('docker', run)).stdout).toBe('Zeta Link, by Zeta Links')
  })
})
