import { expect, it } from 'vitest'
import { measureDisk } from '../../../src/engine/disk-usage.ts'

const busy = new Error('(HTTP code 409) unexpected - a disk usage operation is already running')

it('waits while the Engine measures for somebody else', async () => {
  let asked = 0
  const usage = await measureDisk(async () => {
    if (++asked < 3) throw busy
    return {
      Volumes: [
        { Name: 'a', UsageData: { Size: 5 } },
        { Name: 'b', UsageData: { Size: -1 } },
      ],
      Containers: null,
    }
  })
  expect({ asked, usage }).toEqual({
    asked: 3,
    usage: { volumes: [{ name: 'a', size: 5 }, { name: 'b' }], containers: [] },
  })
})

it('gives up after its patience, and at once at any other refusal', async () => {
  await expect(measureDisk(() => Promise.reject(busy), 300)).rejects.toBe(busy)
  let asked = 0
  const broken = new Error('no')
  const ask = async (): Promise<never> => {
    asked++
    throw broken
  }
  await expect(measureDisk(ask)).rejects.toBe(broken)
  expect(asked).toBe(1)
})
