import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

const folder = fileURLToPath(new URL('files', import.meta.url))

/** Compares a text with test/golden/files/<name>; with SLIPWAY_GOLDEN=write the file becomes the text. */
export async function expectGolden(name: string, text: string): Promise<void> {
  const file = path.join(folder, name)
  if (process.env.SLIPWAY_GOLDEN === 'write') {
    await mkdir(folder, { recursive: true })
    await writeFile(file, text)
    return
  }
  const golden = (await readFile(file, 'utf8').catch(() => '')).replaceAll('\r\n', '\n')
  expect(
    text,
    `test/golden/files/${name} is not what the code gives now. If it should be: npm run golden, and read what git diff shows.`,
  ).toBe(golden)
}
