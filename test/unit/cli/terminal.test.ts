import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { repository } from '../../support/slipway.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

it('on a terminal, an error stands on a line of its own, not behind the progress it ended', async () => {
  const product = await TinyProduct.create([{ name: 'app', version: '1' }])
  try {
    await product.type('lock')
    await product.type('vendor')
    const file = path.join(product.directory, 'vendor', 'app_1_all.deb')
    await writeFile(file, Buffer.alloc(product.server.files.get('pool/main/a/app/app_1_all.deb')!.length))
    const program = path.join(repository, 'dist', 'cli', 'main.js')
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
