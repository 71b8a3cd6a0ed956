import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { readOverlay } from '../../../src/definition/overlay.ts'
import { testFolder } from '../../support/test-folder.ts'

it('an overlay is the same from a checkout on Windows: modes from content, Unix line ends', async () => {
  const folder = await testFolder('overlay')
  await mkdir(path.join(folder, 'etc', 'x'), { recursive: true })
  await writeFile(path.join(folder, 'etc', 'x', 'conf'), 'a\r\nb\r\n', { mode: 0o777 })
  await writeFile(path.join(folder, 'etc', 'start'), '#!/bin/sh\r\nexit\r\n', { mode: 0o600 })
  await writeFile(path.join(folder, 'etc', 'binary'), Buffer.from('\0\r\n'))
  await writeFile(path.join(folder, '.gitkeep'), '')
  await symlink('start', path.join(folder, 'etc', 'link'))
  expect(await readOverlay(folder)).toEqual([
    { path: 'etc/binary', mode: 0o644, content: Buffer.from('\0\r\n') },
    { path: 'etc/link', mode: 0o777, target: 'start' },
    { path: 'etc/start', mode: 0o755, content: Buffer.from('#!/bin/sh\nexit\n') },
    { path: 'etc/x/conf', mode: 0o644, content: Buffer.from('a\nb\n') },
  ])
})
