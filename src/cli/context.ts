import type { Report } from '../lib/progress.ts'

/** What a verb is given of the world outside. */
export interface Context {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Writes one line to standard output. */
  readonly print: (line: string) => void
  /** Writes to the terminal as it stands, for redrawing; absent where output is no terminal. */
  readonly draw?: (text: string) => void
  /** Progress, on standard error. */
  readonly report: Report
  /** Whether standard output and error are a terminal: colours, asking, redrawing. */
  readonly interactive: boolean
  readonly color: boolean
  /** Aborted at Ctrl-C: long work stops, cleans up and throws. */
  readonly signal: AbortSignal
  /** Asks for time after Ctrl-C, to take back what was done on a host; call what it returns when that is over. */
  readonly hold?: () => () => void
}
