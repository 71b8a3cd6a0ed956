import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OutputChunk } from '../../../src/engine/containers-port.ts'
import { justAfter, type LogLine, mergeLines, readLines } from '../../../src/host/log-lines.ts'

async function read(
  chunks: readonly (readonly [OutputChunk['stream'], string | Buffer])[],
): Promise<LogLine[]> {
  async function* source(): AsyncGenerator<OutputChunk> {
    for (const [stream, text] of chunks) yield { stream, data: Buffer.from(text as string) }
  }
  const lines: LogLine[] = []
  for await (const line of readLines(source(), 'dns')) lines.push(line)
  return lines
}

const at = (second: string): string => `2026-11-20T12:00:${second}Z`

describe('a log', () => {
  it('is read as lines with their time and stream', async () => {
    expect(
      await read([
        ['stdout', `${at('01.5')} started\n`],
        ['stderr', `${at('02')} a warning\r\n`],
      ]),
    ).toEqual([
      { service: 'dns', stream: 'stdout', at: at('01.5'), text: 'started' },
      { service: 'dns', stream: 'stderr', at: at('02'), text: 'a warning' },
    ])
  })

  it('that comes in pieces of a long line gives one line with the time of its beginning', async () => {
    expect(
      await read([
        ['stdout', `${at('01')} aaa`],
        ['stderr', `${at('02')} between\n`],
        ['stdout', `${at('01')} bbb\n`],
        ['stdout', `${at('03')} cut off`],
        ['stderr', `${at('04')} cut off too`],
      ]),
    ).toEqual([
      { service: 'dns', stream: 'stderr', at: at('02'), text: 'between' },
      { service: 'dns', stream: 'stdout', at: at('01'), text: 'aaabbb' },
      { service: 'dns', stream: 'stdout', at: at('03'), text: 'cut off' },
      { service: 'dns', stream: 'stderr', at: at('04'), text: 'cut off too' },
    ])
  })

  it('that is cut within a letter has the whole letter', async () => {
    const [before, after] = [Buffer.from('a\u00e4').subarray(0, 2), Buffer.from('\u00e4b').subarray(1)]
    const lines = await read([
      ['stdout', Buffer.concat([Buffer.from(`${at('01')} `), before])],
      ['stdout', Buffer.concat([Buffer.from(`${at('01')} `), after])],
    ])
    expect(lines.map(({ text }) => text)).toEqual(['aäb'])
  })

  it('that an Engine stamps by its own zone has times in UTC', async () => {
    const lines = await read([['stdout', '2026-11-21T00:30:01.291023422+01:00 started\n']])
    expect(lines).toMatchObject([{ at: '2026-11-20T23:30:01.291023422Z', text: 'started' }])
  })

  it('that an Engine cannot read on says so at the time of the line before', async () => {
    const lines = await read([
      ['stdout', `${at('01')} started\n`],
      ['stderr', 'Error grabbing logs: unexpected EOF\n'],
    ])
    expect(lines.at(-1)).toMatchObject({ at: at('01'), text: 'Error grabbing logs: unexpected EOF' })
  })

  it('keeps an empty line, and a text that looks like a time', async () => {
    expect((await read([['stdout', `${at('01')} \n`]])).map(({ text }) => text)).toEqual([''])
    expect((await read([['stdout', `${at('01')} ${at('02')} x\n`]])).map(({ text }) => text)).toEqual([
      `${at('02')} x`,
    ])
  })
})

describe('logs of several services', () => {
  it('are merged by time, also where an Engine dropped zeros at the end of a fraction', () => {
    const line = (service: string, second: string): LogLine => ({
      service,
      stream: 'stdout',
      at: at(second),
      text: '',
    })
    const merged = mergeLines([
      [line('dns', '01'), line('dns', '01.15'), line('dns', '02')],
      [line('optimiser', '01.000000001'), line('optimiser', '01.2')],
    ])
    expect(merged.map((one) => one.at)).toEqual(['01', '01.000000001', '01.15', '01.2', '02'].map(at))
  })
})

describe('the moment just after a line', () => {
  it.each([
    ['2026-11-20T12:00:00.1Z', '1795176000.100000001'],
    ['2026-11-20T12:00:00Z', '1795176000.000000001'],
    ['2026-11-20T12:00:00.999999999Z', '1795176001.000000000'],
  ])('%s is %s', (time, expected) => {
    expect(justAfter(time)).toBe(expected)
  })

  it('is a nanosecond later, whatever the fraction', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), (nanoseconds) => {
        const fraction = String(nanoseconds).padStart(9, '0')
        const [seconds, after] = justAfter(`2026-11-20T12:00:00.${fraction}Z`).split('.')
        expect((Number(seconds) - 1_795_176_000) * 1e9 + Number(after)).toBe(nanoseconds + 1)
      }),
    )
  })
})
