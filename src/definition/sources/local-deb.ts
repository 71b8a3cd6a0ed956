import { readFile } from 'node:fs/promises'
import { readControl } from '../../debian/deb.ts'
import { formatStanza, parseStanzas } from '../../debian/deb822.ts'
import type { BinaryPackage } from '../../debian/package.ts'
import { parsePackages } from '../../debian/packages-index.ts'
import { sha256Hex } from '../../lib/digest.ts'
import { badInput } from '../../lib/errors.ts'
import { localSuite } from './source.ts'

/**
 * Reads what a `.deb` of the product says of itself, as a Packages index of an archive would (Debian repository format).
 * Throws `bad-source` (exit code 2) where it is no package.
 *
 * @param path its name in the lock, below the product directory
 */
export async function readLocalDeb(file: string, path: string): Promise<BinaryPackage> {
  const bytes = await readFile(file)
  try {
    const control = new TextDecoder().decode((await readControl(bytes)).get('control'))
    const [stanza] = parseStanzas(control, path)
    const fields = [
      ...stanza!.fields,
      { name: 'Filename', value: path },
      { name: 'Size', value: String(bytes.length) },
      { name: 'SHA256', value: sha256Hex(bytes) },
    ]
    const [one] = parsePackages(formatStanza(fields), localSuite)
    // What an index reads only when it is asked for is asked for here, while the file's name is at hand.
    const { depends, preDepends, provides, conflicts, breaks, source, multiArch, sha256 } = one!
    for (const value of [depends, preDepends, provides, conflicts, breaks, source, multiArch, sha256])
      void value
    return one!
  } catch (error) {
    const reason = (error as Error).message
      .replace(/^The package file is damaged: |^The Packages index of local, line \d+: /, '')
      .replace(/\.$/, '')
    throw badInput(
      'bad-source',
      `${path} is no Debian package: ${reason}; put a whole one in its place.`,
      error,
    )
  }
}
