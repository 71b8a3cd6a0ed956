import { stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bootstrap = path.join(root, 'src', 'bootstrap.mjs')

describe('the bootstrap', () => {
  it('without a module says how to call it, and installs nothing', async () => {
    const run = await execa(process.execPath, [bootstrap], { reject: false })
    expect([run.exitCode, run.stdout, run.stderr]).toEqual([
      2,
      '',
      'Name the module to run: node src/bootstrap.mjs <module> [arguments…].',
    ])
  })

  it('leaves a command that npx can run, also where it ran one of this folder before', async () => {
    const { mode } = await stat(path.join(root, 'dist', 'program', 'main.js'))
    expect(mode & 0o111).toBe(0o111)
  })
})
