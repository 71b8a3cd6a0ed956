#!/usr/bin/env node
import { commandName } from '../lib/command-name.ts'
import { errorCode, exitCodes, SlipwayError } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { createProgram } from './program.ts'
import { plainProgress, terminalProgress } from './progress.ts'

const interrupted = new AbortController()
let holds = 0
/** The signal that ended us, as its number. */
let received: number | undefined
/** Why what was printed is not where it belongs. */
let unsaid: Error | undefined

const interactive = process.stdout.isTTY === true && process.stderr.isTTY === true
const color = interactive && !process.env.NO_COLOR
const context: Context = {
  cwd: process.cwd(),
  env: process.env,
  print: (line) => process.stdout.write(`${line}\n`),
  ...(interactive && { draw: (text: string) => void process.stdout.write(text) }),
  report: interactive
    ? terminalProgress(
        (text) => process.stderr.write(text),
        // A serial line says 0.
        () => process.stderr.columns || 80,
        color,
      )
    : plainProgress((text) => process.stderr.write(text)),
  interactive,
  color,
  signal: interrupted.signal,
  hold: () => {
    holds++
    return () => holds--
  },
}

for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(signal, () => {
    received = number
    interrupted.abort(new SlipwayError('interrupted', 'Interrupted; nothing was left half-done.'))
    // Work that does not watch the signal ends here; unfinished files have temporary names.
    setInterval(() => holds === 0 && process.exit(128 + number), 2000).unref()
    process.once(signal, () => process.exit(128 + number))
  })
}

// The reader went away (`slipway logs | head`), or the disk that takes the output is full: nobody is told any more, and
// work on a host is done to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    const gone = errorCode(error) === 'EPIPE'
    if (!gone) unsaid ??= error
    if (holds === 0) process.exit(gone ? exitCodes.done : fail(unwritten(error)))
  })
}

try {
  process.exitCode = await createProgram(context)(process.argv.slice(2))
} catch (error) {
  process.exitCode = fail(error)
}
// Whatever became of the work: a file of its output that is not whole is no success.
if (unsaid && process.exitCode === exitCodes.done) process.exitCode = fail(unwritten(unsaid))
if (received !== undefined && process.exitCode === exitCodes.failed) process.exitCode = 128 + received

function unwritten(error: Error): SlipwayError {
  return new SlipwayError(
    'output',
    `The output cannot be written (${error.message}), and is not whole; send it to where there is room, and type the same command again.`,
    { cause: error },
  )
}

function fail(error: unknown): number {
  const debug = process.argv.includes('--debug')
  // The line of a task that was still running.
  if (interactive) process.stderr.write('\r\x1b[K')
  if (error instanceof SlipwayError) {
    process.stderr.write(`${commandName()}: ${error.message}\n`)
    if (debug)
      process.stderr.write(`${error.stack}\n${error.cause instanceof Error ? `${error.cause.stack}\n` : ''}`)
    return error.exitCode
  }
  const text = error instanceof Error ? (debug ? error.stack : error.message) : String(error)
  process.stderr.write(`${commandName()}: ${text}${debug ? '' : ' (--debug shows where)'}\n`)
  return exitCodes.failed
}
