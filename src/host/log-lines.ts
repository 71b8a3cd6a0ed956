import type { OutputChunk } from '../engine/containers-port.ts'

export interface LogLine {
  readonly service: string
  readonly stream: 'stdout' | 'stderr'
  /** ISO 8601 with nanoseconds, by the Engine's clock. */
  readonly at: string
  /** As the service wrote it: it may hold anything, also terminal control sequences. */
  readonly text: string
}

const stamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) /

/**
 * Puts a log's chunks together to lines. Each chunk is one message that begins with its time; messages over 16 kB come
 * in several, of which only the last ends with a line feed.
 */
export async function* readLines(
  chunks: AsyncIterable<OutputChunk>,
  service: string,
): AsyncGenerator<LogLine> {
  const open: Partial<Record<OutputChunk['stream'], { at: string; text: string }>> = {}
  for await (const { stream, data } of chunks) {
    const message = data.toString('utf8')
    const at = stamp.exec(message)?.[1]
    const text = at === undefined ? message : message.slice(at.length + 1)
    const line = { at: open[stream]?.at ?? at ?? '', text: (open[stream]?.text ?? '') + text }
    if (line.text.endsWith('\n')) {
      delete open[stream]
      yield { service, stream, at: line.at, text: line.text.replace(/\r?\n$/, '') }
    } else open[stream] = line
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    if (open[stream]) yield { service, stream, ...open[stream] }
  }
}

/** A line's time plus a nanosecond, as an Engine takes it for `since`: what comes after that line. */
export function justAfter(at: string): string {
  const seconds = Math.floor(Date.parse(at) / 1000)
  const nanoseconds = Number((/\.(\d+)Z$/.exec(at)?.[1] ?? '').padEnd(9, '0').slice(0, 9)) + 1
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
