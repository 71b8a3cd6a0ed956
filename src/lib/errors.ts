/** Exit codes of the command line (docs/architecture.md, "The command line"). */
export const exitCodes = {
  done: 0,
  failed: 1,
  badInput: 2,
  preflightFailed: 3,
  partlyApplied: 4,
  rolledBack: 5,
  busy: 6,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export interface ErrorDetails {
  /** Process exit code; `failed` unless told. */
  readonly exitCode?: ExitCode
  readonly cause?: unknown
}

/**
 * An error that a user can act on. `code` is a stable kebab-case name for programs ("bad-signature"); `message` is
 * one sentence naming the thing, the reason and the next command to type.
 */
export class SlipwayError extends Error {
  override readonly name = 'SlipwayError'
  readonly code: string
  readonly exitCode: ExitCode

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.exitCode = details.exitCode ?? exitCodes.failed
  }
}

/** Bad usage or a bad input file: exit code 2. */
export function badInput(code: string, message: string, cause?: unknown): SlipwayError {
  return new SlipwayError(code, message, { exitCode: exitCodes.badInput, cause })
}

/** The `code` of a Node system error ("ENOENT"), or of a SlipwayError. */
export function errorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return undefined
}
