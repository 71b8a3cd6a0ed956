import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openImage } from '../../../src/image/image-files.ts'
import { readLayout } from '../../../src/image/read-layout.ts'
import type { TinyFile, TinyPackage } from '../../support/tiny-deb.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

const folders = (...paths: string[]): TinyFile[] => paths.map((name) => ({ path: name, type: 'directory' }))
const shells = 'usr/share/debianutils/shells'

const utilities: TinyPackage = {
  name: 'debianutils',
  version: '5.23.2',
  fields: { Essential: 'yes' },
  files: [
    ...folders('usr', 'usr/bin', 'usr/share', 'usr/share/debianutils'),
    { path: 'usr/bin/tool', content: 'a tool\n', mode: 0o4755 },
    { path: shells, content: '/bin/sh\n' },
  ],
}
const app: TinyPackage = {
  name: 'app',
  version: '1.0-1',
  files: [...folders(`${shells}.d`), { path: `${shells}.d/app`, content: '/usr/bin/app\n' }],
}

let product: TinyProduct

beforeEach(async () => {
  product = await TinyProduct.create([utilities, app])
})
afterEach(() => product.remove())

const index = () => readFile(path.join(product.directory, 'build', 'index.json'), 'utf8')

describe("a component above another one's layer", () => {
  it('changes the mode of a package file there, and sets off triggers that read it, cached or not', async () => {
    await product.write({
      'images/app/component.yaml': 'packages: [app]\nfiles:\n  - { path: /usr/bin/tool, mode: "0755" }\n',
    })
    await product.type('lock')
    expect(await product.type('build')).toMatchObject({ exitCode: 0 })
    const { files } = await openImage(await readLayout(path.join(product.directory, 'build'), 'linux/amd64'))
    const text = (name: string) => Buffer.from(files.get(name)!.content!).toString()
    expect([files.get('usr/bin/tool')!.mode, text('usr/bin/tool')]).toEqual([0o755, 'a tool\n'])
    expect(text('etc/shells')).toBe('/bin/sh\n/usr/bin/app\n')

    const fresh = await index()
    await product.write({ 'images/app/component.yaml': 'packages: [app]\n' })
    await product.type('build')
    await rm(path.join(product.env.SLIPWAY_CACHE!, 'layers'), { recursive: true })
    await product.type('build')
    await product.write({
      'images/app/component.yaml': 'packages: [app]\nfiles:\n  - { path: /usr/bin/tool, mode: "0755" }\n',
    })
    await product.type('build')
    expect(await index()).toBe(fresh)
  })
})
