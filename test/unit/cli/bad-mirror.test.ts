import { describe, expect, it } from 'vitest'
import type { TinyPackage } from '../../support/tiny-deb.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

const shell: TinyPackage = { name: 'shell', version: '5.2', fields: { Essential: 'yes' } }
const app: TinyPackage = {
  name: 'app',
  version: '1.0-1',
  files: [{ path: 'app', content: 'an application\n' }],
}
const appDeb = 'pool/main/a/app/app_1.0-1_all.deb'

const answers = [
  ['404', { status: 404 }],
  ['503', { status: 503 }],
  ['half a file', { half: 0.5 }],
  ['nothing', 'reset'],
] as const

async function withProduct(work: (product: TinyProduct) => Promise<void>): Promise<void> {
  const product = await TinyProduct.create([shell, app])
  await work(product).finally(() => product.remove())
}

// Each waits between its attempts, so all wait together.
describe.concurrent('a mirror that stays bad', () => {
  it.each(answers)('and answers its InRelease with %s lets no lock be written', (_, answer) =>
    withProduct(async (product) => {
      product.server.misbehave('dists/trixie/InRelease', ...Array(8).fill(answer))
      const { exitCode, said } = await product.type('lock')
      expect({ exitCode, said }).toEqual({ exitCode: 1, said: expect.stringMatching(/^slipway: .+\.$/) })
      expect(said).toContain(product.server.url.replace(/^http:\/\/|\/debian$/g, ''))
      expect(await product.traces()).toEqual([])
    }),
  )

  it.each(answers)('and answers a .deb with %s lets no layout be written', (_, answer) =>
    withProduct(async (product) => {
      expect((await product.type('lock')).exitCode).toBe(0)
      // What brings a download further counts for no attempt.
      product.server.misbehave(appDeb, answer, ...Array(8).fill('half' in Object(answer) ? 'reset' : answer))
      expect(await product.type('build')).toEqual({
        exitCode: 1,
        said: expect.stringMatching(/^slipway: .*app_1\.0-1_all\.deb.*\.$/),
      })
      expect(await product.traces()).toEqual(['product/appliance.lock'])
    }),
  )
})
