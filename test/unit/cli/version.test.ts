import { expect, it } from 'vitest'
import { packageVersion } from '../../../src/cli/package-version.ts'
import { repository, slipway } from '../../support/slipway.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

it('--version is Slipway’s own, and under a partner’s name the release of their product', async () => {
  const product = await TinyProduct.create([])
  try {
    expect((await slipway(['--version'], { cwd: repository })).stdout).toBe(packageVersion())
    const branded = { SLIPWAY_COMMAND: 'acme-wan', SLIPWAY_PRODUCT: product.directory }
    const said = (await slipway(['--version'], { cwd: repository, env: branded })).stdout
    expect(said).toBe('Tiny 1.0.0, by Tiny. Help: nobody')
    const nowhere = { ...branded, SLIPWAY_PRODUCT: '/nowhere' }
    expect((await slipway(['-V'], { cwd: repository, env: nowhere })).stdout).toBe(packageVersion())
  } finally {
    await product.remove()
  }
})
