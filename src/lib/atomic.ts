import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { errorCode, SlipwayError } from './errors.ts'

/** A name beside `file` for its unfinished content; a crash leaves only such a name, never half a `file`. */
export function temporaryName(file: string): string {
  return `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
}

/**
 * Runs `write` on a temporary name, then renames it to `file`; on failure nothing of it stays. Throws `disk-full`, and
 * `cannot-write` where the folder may not be written.
 */
export async function replaceFile(file: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(file)
  try {
    await mkdir(path.dirname(file), { recursive: true })
    await write(temporary)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw writeFailure(file, error)
  }
}

/** A failed write as a sentence, where the system's own word for it is known; any other error as it is. */
export function writeFailure(file: string, cause: unknown): unknown {
  const folder = path.dirname(file)
  switch (errorCode(cause)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new SlipwayError(
        'disk-full',
        `No room is left for ${file}; free some on the disk of ${folder} and run the same command again.`,
        { cause },
      )
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new SlipwayError(
        'cannot-write',
        `${file} cannot be written (${errorCode(cause)}); make ${folder} writable or choose another place.`,
        { cause },
      )
    default:
      return cause
  }
}

/** Writes a whole file or nothing. */
export async function writeFileAtomic(file: string, data: string | Uint8Array): Promise<void> {
  await replaceFile(file, (temporary) => writeFile(temporary, data))
}
