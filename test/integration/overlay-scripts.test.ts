import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { repository } from '../support/slipway.ts'

it('every script of the overlays passes shellcheck', async () => {
  const scripts: string[] = []
  // Those of optional components too.
  const images = path.join(repository, 'images')
  for (const entry of await readdir(images, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    if (!entry.isFile() || !file.includes(`${path.sep}rootfs${path.sep}`)) continue
    if ((await readFile(file, 'utf8')).startsWith('#!')) scripts.push(file)
  }
  expect(scripts.map((file) => path.basename(file))).toContain('tunnel-start')
  const { stdout } = await execa('shellcheck', scripts, { reject: false })
  expect(stdout).toBe('')
})
