import { expect, it } from 'vitest'
import { keptLicence } from '../../../src/host/licence/licence-volume.ts'

it('a licence whose first day was not written to its end is none, so that giving it again notes the day', () => {
  const kept = (since: string) =>
    keptLicence(
      new Map([
        ['licence.json', '{}'],
        ['since', since],
      ]),
    )
  expect(kept('2026-11-19T02:12:54.000Z')).toEqual({ text: '{}', since: '2026-11-19T02:12:54.000Z' })
  expect(kept('')).toBeUndefined()
})
