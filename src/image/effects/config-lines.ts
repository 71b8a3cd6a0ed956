import { commandName } from '../../lib/command-name.ts'
import { SlipwayError } from '../../lib/errors.ts'
import { UnreadableLine } from './words.ts'

/**
 * Reads a file of systemd's configuration line by line, without comments. Throws `unknown-declaration` for a line that
 * `read` refuses by an `UnreadableLine`: what a package declares is never passed over in silence.
 */
export function readLines<T>(file: string, text: string, read: (line: string) => readonly T[]): T[] {
  return text.split(/\r?\n/).flatMap((raw, index) => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) return []
    try {
      return read(line)
    } catch (error) {
      if (!(error instanceof UnreadableLine)) throw error
      throw new SlipwayError(
        'unknown-declaration',
        `/${file}, line ${index + 1} (${line.slice(0, 80)}), ${error.message}, so nobody knows what it would do to the image; leave the file out by an omit rule in appliance.yaml, say what it does in a component.yaml, and run: ${commandName()} build`,
      )
    }
  })
}
