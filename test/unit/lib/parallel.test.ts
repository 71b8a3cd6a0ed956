import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { mapParallel } from '../../../src/lib/parallel.ts'

it('results come in the order of the items, whichever ends first', async () => {
  const results = await mapParallel([30, 1, 10], { limit: 3 }, async (ms) => {
    await sleep(ms)
    return `${ms} ms`
  })
  expect(results).toEqual(['30 ms', '1 ms', '10 ms'])
})

it('no more than the limit run at one time', async () => {
  let running = 0
  let most = 0
  await mapParallel(Array(20).fill(0), { limit: 4 }, async () => {
    most = Math.max(most, ++running)
    await sleep(2)
    running--
  })
  expect(most).toBe(4)
})

it('the first error stops the others, starts none, and is the one that is thrown', async () => {
  const started: number[] = []
  const stopped: number[] = []
  const failing = mapParallel([0, 1, 2, 3, 4, 5], { limit: 3 }, async (item, signal) => {
    started.push(item)
    if (item === 1) throw new Error('one fails')
    await sleep(10_000, undefined, { signal }).catch((error) => {
      stopped.push(item)
      throw error
    })
  })
  await expect(failing).rejects.toThrow('one fails')
  expect({ started, stopped }).toEqual({ started: [0, 1, 2], stopped: [0, 2] })
})

it('an abort from outside reaches what runs', async () => {
  const controller = new AbortController()
  const work = mapParallel([1], { limit: 1, signal: controller.signal }, async (_, signal) => {
    await sleep(10_000, undefined, { signal }).catch(() => {
      throw signal.reason
    })
  })
  controller.abort(new Error('enough'))
  await expect(work).rejects.toThrow('enough')
})

it('nothing to do is done', async () => {
  expect(await mapParallel([], { limit: 3 }, () => Promise.reject(new Error('never')))).toEqual([])
})
