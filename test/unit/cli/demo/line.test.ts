import { describe, expect, it } from 'vitest'
import { createLine } from '../../../../src/cli/demo/line.ts'

const tenMegabit = { latency: 40, bitsPerSecond: 10_000_000 }

describe('a line', () => {
  it('5 MB over 10 Mbit/s take four seconds and the latency, in whatever pieces', () => {
    for (const piece of [1000, 8192, 5_000_000]) {
      const line = createLine(tenMegabit)
      let arrived = 0
      for (let left = 5_000_000; left > 0; left -= piece) arrived = line.send(Math.min(piece, left), 0)
      expect(arrived).toBeCloseTo(4040, 6)
    }
  })

  it('a lone small message is delayed by the latency and its own length', () => {
    expect(createLine(tenMegabit).send(125, 1000)).toBe(1000 + 0.1 + 40)
  })

  it('two senders share the rate: the second waits for the first', () => {
    const line = createLine(tenMegabit)
    expect([line.send(125_000, 0), line.send(125_000, 0), line.backlog(0)]).toEqual([140, 240, 200])
  })

  it('a pause is not saved up: after it the rate is the same', () => {
    const line = createLine(tenMegabit)
    line.send(125_000, 0)
    expect([line.backlog(60), line.backlog(5000), line.send(125_000, 5000)]).toEqual([40, 0, 5140])
  })
})
