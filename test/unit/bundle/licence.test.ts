import { describe, expect, it } from 'vitest'
import { judgeLicence, missingFeatures } from '../../../src/bundle/licence/judge-licence.ts'
import { formatLicence, type Licence, parseLicence } from '../../../src/bundle/licence/licence.ts'

const licence: Licence = {
  format: 1,
  id: 'a1',
  product: 'acme-wan',
  customer: 'Example Ltd',
  features: ['tunnel', 'wan'],
  issued: '2026-01-31',
}

const fileOf = (change: Record<string, unknown>): string =>
  JSON.stringify({ licence: { ...licence, ...change }, key: 'k', signature: 's' })

describe('a licence file', () => {
  it('is read as it was written', () => {
    const signed = { licence: { ...licence, expires: '2027-01-31', trialDays: 30 }, key: 'k', signature: 's' }
    expect(parseLicence(formatLicence(signed), 'x')).toEqual(signed)
  })

  it.each([
    ['not JSON', 'hello', 'it is not a licence file'],
    ['another document', '{"a":1}', 'it is not a licence file'],
    ['no signature', JSON.stringify({ licence, key: 'k' }), 'it is not signed'],
    [
      'a key that steers the terminal',
      JSON.stringify({ licence, key: '\u001b[2K', signature: 's' }),
      'it is not signed',
    ],
    ['a field that steers the terminal', fileOf({ '\u001b[2K': 5 }), 'it holds the unknown field \ufffd[2K'],
    ['an unknown field', fileOf({ seats: 5 }), 'it holds the unknown field seats'],
    ['no customer', fileOf({ customer: '' }), 'its field customer is missing or wrong'],
    ['a line break in the customer', fileOf({ customer: 'a\nb' }), 'its field customer is missing or wrong'],
    ['a day that is none', fileOf({ expires: '2027-02-30' }), 'its field expires is missing or wrong'],
    ['a trial of no days', fileOf({ trialDays: 0 }), 'its field trialDays is missing or wrong'],
    ['features that are no list', fileOf({ features: 'wan' }), 'its field features is missing or wrong'],
    ['a feature that is no text', fileOf({ features: ['wan', 7] }), 'its field features is missing or wrong'],
  ])('with %s is refused', (_, text, reason) => {
    expect(() => parseLicence(text, 'l.json')).toThrow(
      `l.json cannot be used as a licence: ${reason}; ask its issuer for another.`,
    )
  })

  it('of a later format is refused with what to do', () => {
    expect(() => parseLicence(fileOf({ format: 2, more: 1 }), 'l.json')).toThrow(
      'l.json is a licence of format 2, and this program reads format 1; take the newer installer that came with it.',
    )
  })
})

describe('a licence holds', () => {
  const since = new Date('2026-06-01T12:00:00Z')
  const at = (text: string, terms: Partial<Licence>) =>
    judgeLicence({ ...licence, ...terms }, since, new Date(text))

  it('for ever, where it names no end', () => {
    expect(at('2099-01-01T00:00:00Z', {})).toEqual({ state: 'valid' })
  })

  it('to the end of its last day', () => {
    const until = new Date('2027-01-31T23:59:59.999Z')
    expect(at('2027-01-31T23:59:59Z', { expires: '2027-01-31' })).toEqual({ state: 'valid', until })
    expect(at('2027-02-01T00:00:00Z', { expires: '2027-01-31' })).toEqual({ state: 'expired', until })
  })

  it('for the days of its trial, from the first install', () => {
    const until = new Date('2026-07-01T12:00:00Z')
    expect(at('2026-07-01T12:00:00Z', { trialDays: 30 })).toEqual({ state: 'valid', until })
    expect(at('2026-07-01T12:00:01Z', { trialDays: 30 })).toEqual({ state: 'expired', until })
  })

  it('until whichever of both comes first', () => {
    const until = new Date('2026-06-15T23:59:59.999Z')
    expect(at('2026-06-02T00:00:00Z', { trialDays: 30, expires: '2026-06-15' })).toEqual({
      state: 'valid',
      until,
    })
  })

  it('for what it grants and nothing else', () => {
    expect(missingFeatures(licence, ['wan', 'proxy', 'proxy'])).toEqual(['proxy'])
  })
})
