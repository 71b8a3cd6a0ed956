import { badInput } from '../lib/errors.ts'
import { plainText } from '../lib/plain-text.ts'

/** A bundle that may not be used: bad input, exit code 2. Said before anything of it was loaded. */
export function refused(code: string, file: string, reason: string, cause?: unknown): Error {
  return badInput(
    code,
    `${file} is refused: ${plainText(reason)}. Nothing was loaded; get the file from its vendor again.`,
    cause,
  )
}

/** A name out of a file that anybody may have written, fit for a sentence. */
export function quoted(name: string): string {
  const text = JSON.stringify(name)
  return text.length > 120 ? `${text.slice(0, 117)}…"` : text
}
