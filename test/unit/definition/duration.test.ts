import { describe, expect, it } from 'vitest'
import { parseDuration } from '../../../src/definition/duration.ts'

describe('parseDuration', () => {
  it.each([
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1h', 3_600_000],
    ['1.5s', 1500],
    ['2h45m', 9_900_000],
    ['1000us', 1],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  it.each(['', '30', 's', '5 s', '-1s', '1d'])('refuses "%s"', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})
