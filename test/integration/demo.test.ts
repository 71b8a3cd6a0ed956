import { afterAll, describe, expect, it } from 'vitest'
import type { Proof } from '../../src/cli/demo/proof.ts'
import { builtImage } from '../support/built-image.ts'
import { slipway } from '../support/slipway.ts'

const name = `slipway-demo-${process.pid}`

afterAll(async () => {
  await slipway(['uninstall', '--name', name, '--yes'])
})

interface Shown {
  readonly name: string
  readonly names: { readonly port: number }
  readonly proxy: { readonly port: number }
  readonly proof: Proof
}

async function demo(): Promise<{ shown: Shown; progress: string }> {
  const { productDirectory, cacheDirectory } = builtImage()
  const env = { SLIPWAY_CACHE: cacheDirectory }
  const run = await slipway(['-C', productDirectory, 'demo', '--name', name, '--json'], { env })
  expect(run.exitCode, run.stderr).toBe(0)
  return { shown: JSON.parse(run.stdout), progress: run.stderr }
}

async function startTimes(): Promise<(string | undefined)[]> {
  const { stdout } = await slipway(['status', '--name', name, '--json'])
  const { services } = JSON.parse(stdout) as { services: { startedAt?: string }[] }
  return services.map(({ startedAt }) => startedAt)
}

describe('the demo', () => {
  it('proves the appliance, and again without touching it', async () => {
    const first = await demo()
    const started = await startTimes()
    const second = await demo()

    for (const { shown } of [first, second]) {
      const { proof } = shown
      expect({ link: proof.link, objectBytes: proof.objectBytes, farEnd: proof.farEnd }).toEqual({
        link: { roundTrip: 80, bitsPerSecond: 10_000_000 },
        objectBytes: 5_000_000,
        farEnd: { lookups: 2, fetches: 2 },
      })
    }
    expect(second.shown.proof.sha256).not.toBe(first.shown.proof.sha256)
    expect([second.shown.names, second.shown.proxy]).toEqual([first.shown.names, first.shown.proxy])
    expect(second.progress).toContain(`${name} is as it should be; nothing was changed.`)
    expect(started).toHaveLength(2)
    expect(await startTimes()).toEqual(started)
  })
})
