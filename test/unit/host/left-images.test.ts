import { expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { leftImages } from '../../../src/host/left-images.ts'

const image = (id: string, product: string, ...tags: string[]) => ({
  id,
  tags,
  labels: product ? { 'io.slipway.product': product } : {},
  size: 1,
})

it('an uninstall leaves the images of its product that no container is made from', async () => {
  const engine = {
    images: {
      list: async () => [
        image('sha256:01', 'acme-wan', 'acme-wan:1.0.0'),
        image('sha256:02', 'acme-wan'),
        image('sha256:03', 'acme-wan', 'acme-wan:1.1.0'),
        image('sha256:04', 'zeta-link', 'zeta-link:1.0.0'),
        image('sha256:05', '', 'debian:13'),
      ],
    },
    containers: { list: async () => [{ imageId: 'sha256:03' }] },
  } as unknown as Engine
  expect(await leftImages(engine, new Set(['acme-wan']))).toEqual(['acme-wan:1.0.0', 'sha256:02'])
  expect(await leftImages(engine, new Set([undefined]))).toEqual([])
})
