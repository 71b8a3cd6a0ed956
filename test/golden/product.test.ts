import path from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { openImage } from '../../src/image/image-files.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { describeDocuments, describeLayers, readMaterials } from './describe-layout.ts'
import { expectGolden } from './golden.ts'
import { GoldenProduct } from './golden-product.ts'

let product: GoldenProduct
let layout: string
let lockText: string

beforeAll(async () => {
  product = await GoldenProduct.create()
  layout = path.join(product.directory, 'build')
  lockText = await product.lock()
  await product.build()
})

afterAll(() => product.remove())

describe('the golden product', () => {
  it('gives the same lock', () => expectGolden('appliance.lock', lockText))

  it('gives the same index, manifests and configurations', async () =>
    expectGolden('layout.txt', await describeDocuments(layout)))

  it('gives the same layers, path by path', async () =>
    expectGolden('layers.txt', await describeLayers(layout)))

  it('gives the same accounts, package database and notes of dpkg', async () => {
    const { files } = await openImage(await readLayout(layout, 'linux/amd64'))
    const texts = [...files.values()]
      .filter(({ path, content }) => content?.length && shownFiles.test(path))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, content }) => `# ${path}\n${Buffer.from(content!).toString('utf8')}`)
    await expectGolden('image-files.txt', texts.join('\n'))
  })

  it('gives the same bills of materials', async () => {
    const [amd64, arm64, ...others] = await readMaterials(layout)
    await expectGolden('sbom-linux-amd64.spdx.json', amd64!)
    await expectGolden('sbom-linux-arm64.spdx.json', [arm64!, ...others].join(''))
  })
})

const shownFiles =
  /^etc\/(passwd|group|shadow|gshadow|motd|dpkg\/.+)$|^var\/lib\/dpkg\/(status|arch|alternatives\/.+|info\/tinyd\.list|triggers\/.+)$|brand\.json$/
