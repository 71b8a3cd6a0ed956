import type { KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { keyId, readPrivateKey, readPublicKeys } from '../bundle/key.ts'
import type { Definition } from '../definition/definition.ts'
import { badInput } from '../lib/errors.ts'
import type { Context } from './context.ts'

export interface SigningOptions {
  readonly key: string
  readonly passphraseFile?: string
}

/** The private key that a verb signs with. Throws `bad-key`, `no-passphrase`. */
export async function readSigningKey(context: Context, options: SigningOptions): Promise<KeyObject> {
  const passphrase = await readPassphrase(context, options.passphraseFile)
  const file = path.resolve(context.cwd, options.key)
  const key = await readPrivateKey(file, passphrase)
  if (passphrase === undefined && (await isOpenToOthers(file)))
    context.report({
      type: 'note',
      text: `${options.key} can be read by others on this machine; to keep it yours: chmod 600 ${options.key}`,
    })
  return key
}

/** Whether group or others may read a file; Windows keeps that elsewhere. */
async function isOpenToOthers(file: string): Promise<boolean> {
  return process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0
}

/** The first line of a file; undefined where none is named. */
export async function readPassphrase(
  context: Context,
  file: string | undefined,
): Promise<string | undefined> {
  if (file === undefined) return undefined
  const text = await readFile(path.resolve(context.cwd, file), 'utf8').catch((error: unknown) => {
    throw badInput(
      'no-passphrase',
      `The passphrase file ${file} cannot be read; write one, or leave it out.`,
      error,
    )
  })
  const [line = ''] = text.split(/\r?\n/)
  if (line !== '') return line
  throw badInput('no-passphrase', `The first line of ${file} is empty; write the passphrase there.`)
}

/** Refuses a key whose signatures no installer of this product would take. Throws `unknown-key`. */
export async function refuseUnknownKey(
  { keys }: Pick<Definition, 'keys'>,
  signer: KeyObject,
  file: string,
  what: string,
): Promise<void> {
  const known = await readPublicKeys(keys)
  if (known.some((key) => keyId(key) === keyId(signer))) return
  throw badInput(
    'unknown-key',
    `Installers would refuse this ${what}: the public key of ${file} is not among the keys of appliance.yaml; add it there, as in: keys: [${path.basename(file, path.extname(file))}.pub]`,
  )
}
