import { commandName } from '../../lib/command-name.ts'
import { badInput, type SlipwayError } from '../../lib/errors.ts'

/** The refusal of a backup that is not what was written; `reason` follows a colon. */
export function damaged(file: string, reason: string, cause?: unknown): SlipwayError {
  return badInput(
    'damaged-backup',
    `${file} is damaged or no backup: ${reason}; nothing was changed. Take another copy, or make a new one with \`${commandName()} backup\`.`,
    cause,
  )
}
