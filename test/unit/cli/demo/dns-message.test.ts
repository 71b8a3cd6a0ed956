import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAnswer, decodeQuery, encodeAnswer, encodeQuery } from '../../../../src/cli/demo/dns-message.ts'

describe('DNS messages', () => {
  it('a query is the bytes that RFC 1035 says', () => {
    expect(encodeQuery(0x1234, 'a.wan.example').toString('hex')).toBe(
      '12340100000100000000000001610377616e076578616d706c650000010001',
    )
  })

  it('a query is read back, its name in lower case', () => {
    expect(decodeQuery(encodeQuery(7, 'A1b.Wan.Example'))).toEqual({
      id: 7,
      name: 'a1b.wan.example',
      type: 1,
    })
  })

  it('an answer with an address is read back', () => {
    const answer = encodeAnswer({ id: 7, name: 'a.wan.example', type: 1 }, '192.0.2.80', 3600)
    expect(decodeAnswer(answer)).toEqual({ id: 7, responseCode: 0, addresses: ['192.0.2.80'] })
  })

  it('an unknown name is answered with "no such name", another type with no record', () => {
    const question = { id: 7, name: 'a.wan.example', type: 1 }
    expect([
      decodeAnswer(encodeAnswer(question, undefined, 60)),
      decodeAnswer(encodeAnswer({ ...question, type: 28 }, '192.0.2.80', 60)),
    ]).toEqual([
      { id: 7, responseCode: 3, addresses: [] },
      { id: 7, responseCode: 0, addresses: [] },
    ])
  })

  it('a query is no answer, and an answer no query', () => {
    const question = { id: 7, name: 'a.wan.example', type: 1 }
    expect([
      decodeAnswer(encodeQuery(7, question.name)),
      decodeQuery(encodeAnswer(question, undefined, 1)),
    ]).toEqual([undefined, undefined])
  })

  it('a compression pointer that points at itself is refused', () => {
    const message = Buffer.concat([encodeQuery(7, 'a').subarray(0, 12), Buffer.from('c00c00010001', 'hex')])
    expect(decodeQuery(message)).toBeUndefined()
  })

  it('no bytes from outside make the decoders throw or hang', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, response) => {
        const message = Buffer.from(bytes)
        if (message.length > 2) message[2] = response ? message[2]! | 0x80 : message[2]! & 0x7f
        decodeQuery(message)
        decodeAnswer(message)
      }),
      { numRuns: 2000 },
    )
  })
})
