import type { OutputChunk } from '../engine/containers-port.ts'

export interface LogLine {
  readonly service: string
  readonly stream: 'stdout' | 'stderr'
  /** ISO 8601 with nanoseconds, by the Engine's clock. */
  readonly at: string
  /** As the service wrote it: it may hold anything, also terminal control sequences. */
  readonly text: string
}

/** Older Engines tell the time of what their `local` driver keeps by their own zone. */
const stamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) /
const longestStamp = 40
const lineFeed = 10

/**
 * Puts a log's chunks together to lines. Each chunk is one message that begins with its time; messages over 16 kB come
 * in several, cut anywhere, of which only the last ends with a line feed. What the Engine itself says in between ("Error
 * grabbing logs") has no time: it has that of the line before.
 */
export async function* readLines(
  chunks: AsyncIterable<OutputChunk>,
  service: string,
): AsyncGenerator<LogLine> {
  const open: Partial<Record<OutputChunk['stream'], { at: string; parts: Buffer[] }>> = {}
  let last = ''
  const close = (stream: OutputChunk['stream']): LogLine => {
    const { at, parts } = open[stream]!
    delete open[stream]
    const text = Buffer.concat(parts)
      .toString('utf8')
      .replace(/\r?\n$/, '')
    return { service, stream, at, text }
  }
  for await (const { stream, data } of chunks) {
    const [at, text] = splitStamp(data)
    last = at ?? last
    open[stream] ??= { at: last, parts: [] }
    open[stream].parts.push(text)
    if (text.at(-1) === lineFeed) yield close(stream)
  }
  for (const stream of ['stdout', 'stderr'] as const) if (open[stream]) yield close(stream)
}

/** A message's time, in UTC, and the rest of it. */
function splitStamp(data: Buffer): [at: string | undefined, text: Buffer] {
  const [whole, seconds, fraction = '', zone] = stamp.exec(data.toString('latin1', 0, longestStamp)) ?? []
  if (whole === undefined) return [undefined, data]
  const text = data.subarray(whole.length)
  return [`${new Date(`${seconds}${zone}`).toISOString().slice(0, 19)}${fraction}Z`, text]
}

/** A line's time plus a nanosecond, as an Engine takes it for `since`: what comes after that line. */
export function justAfter(at: string): string {
  const seconds = Math.floor(Date.parse(at) / 1000)
  const nanoseconds = Number((/\.(\d+)Z$/.exec(at)?.[1] ?? '').padEnd(9, '0')) + 1
  if (nanoseconds === 1_000_000_000) return `${seconds + 1}.000000000`
  return `${seconds}.${String(nanoseconds).padStart(9, '0')}`
}

/** Sorts lines of several services by time; those of one service keep their order. */
export function mergeLines(logs: readonly (readonly LogLine[])[]): LogLine[] {
  return logs.flat().sort((a, b) => compareTimes(a.at, b.at))
}

/** Engines drop trailing zeros of a fraction, so that texts alone don't compare. */
function compareTimes(a: string, b: string): number {
  const [left, right] = [padTime(a), padTime(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function padTime(at: string): string {
  const [whole = '', fraction = ''] = at.replace('Z', '').split('.')
  return `${whole}.${fraction.padEnd(9, '0')}`
}
