import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { loadDefinition } from '../../src/definition/load.ts'
import { repository } from '../support/slipway.ts'

it('every script of the overlays passes shellcheck', async () => {
  const { components } = await loadDefinition(repository)
  const scripts: string[] = []
  for (const rootfs of components.flatMap((component) => component.rootfs)) {
    for (const entry of await readdir(rootfs, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name)
      if (entry.isFile() && (await readFile(file, 'utf8')).startsWith('#!')) scripts.push(file)
    }
  }
  expect(scripts.length).toBeGreaterThan(0)
  const { stdout } = await execa('shellcheck', scripts, { reject: false })
  expect(stdout).toBe('')
})
