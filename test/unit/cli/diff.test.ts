import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { repository } from '../../support/slipway.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

let product: TinyProduct

beforeAll(async () => {
  product = await TinyProduct.create([{ name: 'app', version: '1' }])
  expect((await product.type('lock')).exitCode).toBe(0)
  expect((await product.type('build')).exitCode).toBe(0)
  await mkdir(path.join(product.directory, 'empty'))
  await copyFile(path.join(product.directory, 'appliance.lock'), path.join(product.directory, 'old.lock'))
})
afterAll(() => product.remove())

const at = (name: string) => path.join(product.directory, name)

describe('slipway diff', () => {
  it('takes a lock by its folder or by its name', async () => {
    expect(await product.type('diff', '.', 'old.lock', '--platform', 'amd64')).toEqual({
      exitCode: 0,
      said: '',
    })
  })

  it('says which of the two is what, or is not there', async () => {
    const named = 'name two layouts that slipway build wrote, or two locks (the file, or its folder).'
    expect([
      await product.type('diff', 'build', '.'),
      await product.type('diff', 'build', 'bild'),
      await product.type('diff', 'empty', 'build'),
      await product.type('diff', '.', '.', '--platform', 'linux/arm46'),
    ]).toEqual([
      {
        exitCode: 2,
        said: `slipway: ${at('build')} is an image layout and ${product.directory} is a lock; name two of a kind.`,
      },
      { exitCode: 2, said: `slipway: ${at('bild')} is not there; ${named}` },
      { exitCode: 2, said: `slipway: ${at('empty')} holds neither an image layout nor a lock; ${named}` },
      {
        exitCode: 2,
        said: "slipway: --platform linux/arm46 is not one of this product's platforms, linux/amd64 and linux/arm64; did you mean linux/arm64?",
      },
    ])
  })
})

describe('slipway build --out', () => {
  it('refuses a file, and a folder of other things, and leaves them', async () => {
    expect([
      await product.type('build', '--out', 'key.asc'),
      await product.type('build', '--out', 'images'),
    ]).toEqual([
      { exitCode: 2, said: `slipway: ${at('key.asc')} is a file; choose a folder with --out DIR.` },
      {
        exitCode: 2,
        said: `slipway: ${at('images')} holds other files than an image layout; choose an empty one with --out DIR.`,
      },
    ])
  })
})

it('a reader that closes early (| head) is no crash', async () => {
  const child = spawn(
    process.execPath,
    [path.join(repository, 'dist', 'program', 'main.js'), 'sbom', '--platform', 'amd64'],
    { cwd: product.directory, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  child.stdout.destroy()
  expect([...(await once(child, 'close')), said]).toEqual([0, null, ''])
})
