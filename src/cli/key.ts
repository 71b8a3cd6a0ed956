import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type KeyType, keyTypes, makeKeyPair } from '../bundle/key.ts'
import { writeFailure } from '../lib/atomic.ts'
import { badInput, errorCode } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { readPassphrase } from './signing-key.ts'

export interface KeyOptions {
  readonly out: string
  readonly type: string
  readonly passphraseFile?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Makes a pair of keys; never writes over one that is there. */
export async function run(context: Context, options: KeyOptions): Promise<undefined> {
  const type = readType(options.type)
  const stem = path.resolve(context.cwd, options.out)
  const files = { privateKey: `${stem}.key`, publicKey: `${stem}.pub` }
  const passphrase = await readPassphrase(context, options.passphraseFile)
  const pair = makeKeyPair(type, passphrase)
  if (!options.dryRun) {
    await create(files.privateKey, pair.privatePem, 0o600)
    await create(files.publicKey, pair.publicPem, 0o644).catch(async (error: unknown) => {
      // Beside another's public half it would pass for the one that belongs to it.
      await rm(files.privateKey, { force: true })
      throw error
    })
  }
  if (options.json) {
    context.print(JSON.stringify({ type, ...(options.dryRun ? {} : { id: pair.id }), ...files }, null, 2))
    return
  }
  context.print(`${files.privateKey}  the private key: it signs; keep it, and give it to nobody`)
  context.print(
    `${files.publicKey}  the public key: it goes to whoever checks, and under keys: into appliance.yaml`,
  )
  if (!options.dryRun) context.print(`Its ID is ${pair.id}.`)
}

function readType(text: string): KeyType {
  const type = keyTypes.find((one) => one === text)
  if (type) return type
  throw badInput('bad-key-type', `There is no key type ${text}; choose one of: ${keyTypes.join(', ')}.`)
}

/** Whole, and only where nothing is: a key that is written over is lost. */
async function create(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') await rm(file, { force: true }).catch(() => {})
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? ''))
      throw badInput(
        'no-such-folder',
        `There is no folder ${path.dirname(file)}; make it, or choose another --out.`,
        error,
      )
    if (errorCode(error) !== 'EEXIST') throw writeFailure(file, error)
    throw badInput(
      'key-exists',
      `${file} is there already, and a key is never written over; choose another --out.`,
    )
  }
}
