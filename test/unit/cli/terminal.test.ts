import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { terminalProgress } from '../../../src/cli/progress.ts'
import { repository } from '../../support/slipway.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

it('on a terminal, an error stands on a line of its own, not behind the progress it ended', async () => {
  const product = await TinyProduct.create([{ name: 'app', version: '1' }])
  try {
    await product.type('lock')
    await product.type('vendor')
    const file = path.join(product.directory, 'vendor', 'app_1_all.deb')
    await writeFile(file, Buffer.alloc(product.server.files.get('pool/main/a/app/app_1_all.deb')!.length))
    const program = path.join(repository, 'dist', 'program', 'main.js')
    const { stdout, exitCode } = await execa(
      'script',
      ['-qec', `stty cols 20; exec '${process.execPath}' '${program}' build`, '/dev/null'],
      { cwd: product.directory, env: product.env, reject: false, stdin: 'ignore' },
    )
    expect([exitCode, stdout.split('\r\x1b[K').at(-1)]).toEqual([
      1,
      `slipway: ${file} is not the package that the lock names: it has another SHA-256 than the lock says; run \`slipway vendor\` to put it right, or delete it.`,
    ])
  } finally {
    await product.remove()
  }
})

it('output for which the disk has no room ends in one sentence', async () => {
  const program = path.join(repository, 'dist', 'program', 'main.js')
  const { exitCode, stderr } = await execa(
    'sh',
    ['-c', `exec '${process.execPath}' '${program}' completion bash >/dev/full`],
    { reject: false, stdin: 'ignore' },
  )
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr:
      'slipway: The output cannot be written (ENOSPC: no space left on device, write), and is not whole; send it to where there is room, and type the same command again.',
  })
})

it.each([true, false])('progress has colours where they are wanted: %s', (color) => {
  let shown = ''
  const report = terminalProgress(
    (text) => {
      shown += text
    },
    () => 80,
    color,
  )
  report({ type: 'start', task: 'Build' })
  report({ type: 'finish', task: 'Build' })
  expect(shown.includes('\x1b[32m')).toBe(color)
})
