import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Measurement {
  /** Seconds of wall clock. */
  readonly seconds: number
  /** The process's own peak of resident memory in bytes (VmHWM), where Linux tells. */
  readonly peak: number
  /** What it printed, both streams. */
  readonly lines: readonly TimedLine[]
}

export interface TimedLine {
  readonly text: string
  /** Seconds after the start. */
  readonly at: number
}

/** Runs a command to its end; throws with what it printed when it ends with another exit code than 0, or `accepted`. */
export async function measure(
  command: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; accepted?: number } = {},
): Promise<Measurement> {
  const started = performance.now()
  const child = spawn(command[0]!, command.slice(1), {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const lines: TimedLine[] = []
  let peak = 0
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-4000)
      const at = (performance.now() - started) / 1000
      for (const text of String(chunk).split('\n')) if (text !== '') lines.push({ text, at })
    })
  }
  // The high-water mark only grows: the last reading before the end is all but the true one.
  const watch = setInterval(() => {
    peak = Math.max(peak, highWaterMark(child.pid))
  }, 20)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const seconds = (performance.now() - started) / 1000
  clearInterval(watch)
  if (code !== 0 && code !== options.accepted)
    throw new Error(`${command.join(' ')} failed (${code}):\n${output}`)
  return { seconds, peak, lines }
}

function highWaterMark(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** A line of a bench's table. */
export type Row = readonly [what: string, measured: string, beside: string, ratio: string, wanted: string]
export const head: Row = ['what', 'measured', 'beside', 'ratio', 'wanted']

/** The medians of two that were timed in turn, in seconds, and their ratio. */
export function compared(
  what: string,
  ours: readonly number[],
  beside: string,
  theirs: readonly number[],
  wanted: string,
): Row {
  const ratio = `${(median(ours) / median(theirs)).toFixed(2)}×`
  return [what, showSeconds(ours), `${beside}: ${showSeconds(theirs)}`, ratio, wanted]
}

/** Their median: "1.37 s". */
export function showSeconds(seconds: readonly number[]): string {
  return `${median(seconds).toFixed(2)} s`
}

/** A Markdown table with aligned columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(rows[0]!), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join(
    '\n',
  )
}
