import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'

const bootstrap = path.join(fileURLToPath(new URL('../..', import.meta.url)), 'src', 'bootstrap.mjs')

describe('the bootstrap', () => {
  it('without a module says how to call it, and installs nothing', async () => {
    const run = await execa(process.execPath, [bootstrap], { reject: false })
    expect([run.exitCode, run.stdout, run.stderr]).toEqual([
      2,
      '',
      'Name the module to run: node src/bootstrap.mjs <module> [arguments…].',
    ])
  })
})
