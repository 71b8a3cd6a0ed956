import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readStat } from '../../../src/engine/container-files.ts'
import { parseEvents } from '../../../src/engine/events.ts'
import { readFrames, splitOutput } from '../../../src/engine/output.ts'

function frame(stream: 1 | 2 | 3, text: string): Buffer {
  const data = Buffer.from(text)
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(data.length, 4)
  return Buffer.concat([header, data])
}

/** The same bytes in pieces of the given sizes, over and over. */
function cut(bytes: Buffer, sizes: readonly number[]): Readable {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return Readable.from(pieces)
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

describe('output of a container', () => {
  const log = Buffer.concat([frame(1, 'up\n'), frame(2, 'warning: ä\n'), frame(1, '')])

  it('is taken apart into its two streams', () => {
    expect(splitOutput(log)).toEqual({
      stdout: 'up\n',
      stderr: 'warning: ä\n',
      merged: 'up\nwarning: ä\n',
    })
  })

  it('comes out the same wherever a stream of it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), async (sizes) => {
        const chunks = await all(readFrames(cut(log, sizes)))
        expect(chunks.map(({ stream, data }) => [stream, data.toString()])).toEqual([
          ['stdout', 'up\n'],
          ['stderr', 'warning: ä\n'],
          ['stdout', ''],
        ])
      }),
    )
  })

  it('keeps what the Engine itself says of a log that it cannot read', async () => {
    const broken = Buffer.concat([frame(3, 'Error grabbing logs: EOF\n'), frame(1, 'up\n')])
    const expected = { stdout: 'up\n', stderr: 'Error grabbing logs: EOF\n' }
    expect(splitOutput(broken)).toMatchObject(expected)
    const chunks = await all(readFrames(Readable.from([broken])))
    expect(chunks.map(({ stream, data }) => [stream, data.toString()])).toEqual([
      ['stderr', expected.stderr],
      ['stdout', expected.stdout],
    ])
  })

  it('of a terminal has no frames and is standard output', async () => {
    const chunks = await all(readFrames(Readable.from([Buffer.from('login: '), Buffer.from('x')])))
    expect(Buffer.concat(chunks.map(({ data }) => data)).toString()).toBe('login: x')
  })
})

describe('events', () => {
  const lines = [
    '{"Type":"container","Action":"die","Actor":{"ID":"1","Attributes":{"name":"ä","exitCode":"137"}},"time":5,"timeNano":5123456789}',
    '{"Type":"volume","Action":"create","Actor":{"ID":"v"},"time":6}',
  ]

  it('are read wherever the stream is cut, with milliseconds where the Engine gives them', async () => {
    const bytes = Buffer.from(lines.join('\n'))
    for (const size of [1, 7, bytes.length]) {
      expect(await all(parseEvents(cut(bytes, [size])))).toEqual([
        {
          type: 'container',
          action: 'die',
          id: '1',
          time: 5123,
          attributes: { name: 'ä', exitCode: '137' },
        },
        { type: 'volume', action: 'create', id: 'v', time: 6000, attributes: {} },
      ])
    }
  })
})

describe('what the Engine says of a path', () => {
  it('is read from the header of its answer', () => {
    const stat = { name: 'squid.conf', size: 9, mode: 420, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }
    const header = Buffer.from(JSON.stringify(stat)).toString('base64')
    expect(readStat({ headers: { 'x-docker-container-path-stat': header } })).toEqual(stat)
  })
})
