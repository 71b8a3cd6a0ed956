import { readFile } from 'node:fs/promises'
import type { PublicKey } from 'openpgp'
import { badInput, errorCode } from '../lib/errors.ts'

/** Public keys that may sign an archive. */
export interface Keyring {
  readonly keys: readonly PublicKey[]
  /** The files they were read from, for errors. */
  readonly files: readonly string[]
}

/**
 * Reads OpenPGP public keys from files, armored (.asc, several blocks too) or binary (.gpg), as apt's Signed-By takes
 * them. Throws `bad-keyring` (exit code 2) for a file that is missing or holds none, and when no file is given.
 */
export async function readKeyrings(files: readonly string[]): Promise<Keyring> {
  if (files.length === 0) {
    throw badInput(
      'bad-keyring',
      "No keyring is named, so nothing from an archive can be trusted; name the archive's public keys under debian.keyrings in appliance.yaml.",
    )
  }
  const keys: PublicKey[] = []
  for (const file of files) keys.push(...(await parseKeyring(await readKeyringFile(file), file)))
  return { keys, files }
}

async function readKeyringFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    const why = errorCode(error) === 'ENOENT' ? 'is not there' : `cannot be read (${errorCode(error)})`
    throw badInput(
      'bad-keyring',
      `The keyring ${file} ${why}; correct debian.keyrings in appliance.yaml.`,
      error,
    )
  }
}

/** Reads the keys of one keyring; `file` names it in errors. A private key counts as its public part. */
export async function parseKeyring(data: Uint8Array, file: string): Promise<PublicKey[]> {
  const { readKeys } = await import('openpgp')
  const text = Buffer.from(data).toString('latin1')
  const refuse = (why: string, cause?: unknown) =>
    badInput('bad-keyring', `${file} is not a keyring of OpenPGP public keys: ${why}.`, cause)
  if (text.slice(8, 12) === 'KBXf') {
    throw refuse('it is a GnuPG key box, which "gpg --export" turns into a keyring')
  }
  if (text.trim() === '') throw refuse('it is empty')
  try {
    const armored = [
      ...text.matchAll(/-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END PGP PUBLIC KEY BLOCK-----/g),
    ]
    const lists =
      armored.length > 0
        ? await Promise.all(armored.map(([block]) => readKeys({ armoredKeys: block })))
        : [await readKeys({ binaryKeys: new Uint8Array(data) })]
    const keys = lists.flat().map((key) => key.toPublic())
    if (keys.length > 0) return keys
  } catch (error) {
    throw refuse('it is neither armored nor binary OpenPGP data', error)
  }
  throw refuse('it holds no key')
}
