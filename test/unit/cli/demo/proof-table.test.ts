import { describe, expect, it } from 'vitest'
import { formatProof, formatRatio, formatTime } from '../../../../src/cli/demo/proof-table.ts'

describe('the proof’s table', () => {
  it('stands in columns, and says what it shows', () => {
    const lines = formatProof({
      link: { roundTrip: 80, bitsPerSecond: 10_000_000 },
      objectBytes: 5_000_000,
      sha256: '00',
      direct: { lookup: 82.31, fetch: 4171.2 },
      first: { lookup: 84.9, fetch: 4203 },
      again: { lookup: 0.52, fetch: 18.4 },
      farEnd: { lookups: 2, fetches: 2 },
      cacheHeader: 'HIT from optimiser',
    })
    expect(lines).toEqual([
      'A WAN link of 80 ms round trip and 10 Mbit/s, simulated:',
      '',
      '                                   name        5.00 MB',
      '  directly                      82.3 ms  1.0×   4.17 s  1.0×',
      '  through the appliance, first  84.9 ms  1.0×   4.20 s  1.0×',
      '  through the appliance, again  0.52 ms  158×  18.4 ms  227×',
      '',
      'Once one client has asked, the next one behind the appliance has the name 158× and the object 227× as fast (HIT from optimiser): the link carried neither a second time, and every byte was the same.',
    ])
  })

  it('times and ratios have two or three digits', () => {
    expect([0.523, 9.996, 84.24, 999.4, 999.6, 12_345].map(formatTime)).toEqual([
      '0.52 ms',
      '10.0 ms',
      '84.2 ms',
      '999 ms',
      '1.00 s',
      '12.3 s',
    ])
    expect([0.98, 1, 9.94, 9.96, 227.4].map(formatRatio)).toEqual(['1.0×', '1.0×', '9.9×', '10×', '227×'])
  })
})
