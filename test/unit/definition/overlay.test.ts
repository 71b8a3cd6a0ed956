import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readOverlay } from '../../../src/definition/overlay.ts'
import { caughtLater } from '../../support/caught.ts'
import { testFolder } from '../../support/test-folder.ts'

it('an overlay is the same from a checkout on Windows: modes from content, Unix line ends', async () => {
  const folder = await testFolder('overlay')
  await mkdir(path.join(folder, 'etc', 'x'), { recursive: true })
  await writeFile(path.join(folder, 'etc', 'x', 'conf'), 'a\r\nb\r\n', { mode: 0o777 })
  await writeFile(path.join(folder, 'etc', 'start'), '#!/bin/sh\r\nexit\r\n', { mode: 0o600 })
  await writeFile(path.join(folder, 'etc', 'binary'), Buffer.from('\0\r\n'))
  for (const name of ['.gitkeep', '.DS_Store', 'Thumbs.db']) await writeFile(path.join(folder, name), '')
  await symlink('start', path.join(folder, 'etc', 'link'))
  expect(await readOverlay(folder)).toEqual([
    { path: 'etc/binary', mode: 0o644, content: Buffer.from('\0\r\n') },
    { path: 'etc/link', mode: 0o777, target: 'start' },
    { path: 'etc/start', mode: 0o755, content: Buffer.from('#!/bin/sh\nexit\n') },
    { path: 'etc/x/conf', mode: 0o644, content: Buffer.from('a\nb\n') },
  ])
})

describe('an overlay holds nothing that no image does, and says so by name:', () => {
  it.each([
    [
      'a pipe, which would never end',
      (at: string) => execFileSync('mkfifo', [at]),
      'is a pipe, a socket or a device, which no image is built from',
    ],
    [
      'a link out of the image',
      (at: string) => symlink('../../etc/passwd', at),
      'is a link to ../../etc/passwd, which leads out of the image',
    ],
  ])('%s', async (_, make, why) => {
    const folder = await testFolder('overlay')
    await mkdir(path.join(folder, 'etc'))
    const at = path.join(folder, 'etc', 'x')
    await make(at)
    expect(await caughtLater(() => readOverlay(folder))).toMatchObject({
      code: 'bad-overlay',
      exitCode: 2,
      message: `${at} ${why}; take it away, then run: slipway validate`,
    })
  })

  it('a name that is not UTF-8', async () => {
    const folder = await testFolder('overlay')
    await writeFile(Buffer.concat([Buffer.from(`${folder}/gr`), Buffer.from([0xfc])]), 'x')
    expect((await caughtLater(() => readOverlay(folder))).message).toBe(
      `${folder}/gr\ufffd has a name that is not UTF-8; take it away, then run: slipway validate`,
    )
  })
})
