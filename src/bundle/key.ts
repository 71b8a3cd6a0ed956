import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { commandName } from '../lib/command-name.ts'
import { digestOf } from '../lib/digest.ts'
import { badInput } from '../lib/errors.ts'

/** ed25519, or ECDSA on the curve P-256, which cosign knows. */
export const keyTypes = ['ed25519', 'p256'] as const
export type KeyType = (typeof keyTypes)[number]

export interface KeyPair {
  /** PKCS #8, PEM. */
  readonly privatePem: string
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicPem: string
  readonly id: string
}

/** A new pair; `passphrase` encrypts the private one. */
export function makeKeyPair(type: KeyType, passphrase?: string): KeyPair {
  const { privateKey, publicKey } =
    type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    id: keyId(publicKey),
  }
}

/** What a key is called in signatures and errors: the SHA-256 of its SubjectPublicKeyInfo (RFC 5280, 4.1), of either half. */
export function keyId(key: KeyObject): string {
  const half = key.type === 'private' ? createPublicKey(key) : key
  return digestOf(half.export({ type: 'spki', format: 'der' }))
}

/** Throws `bad-key`, exit code 2, also for a key of another type or with another passphrase. */
export async function readPrivateKey(file: string, passphrase?: string): Promise<KeyObject> {
  const pem = await readPem(file)
  return parse(file, 'private', () =>
    createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) }),
  )
}

/** Throws `bad-key`, exit code 2. */
export async function readPublicKey(file: string): Promise<KeyObject> {
  const pem = await readPem(file)
  if (pem.includes('PRIVATE KEY')) {
    throw badInput(
      'bad-key',
      `${file} is a private key, and the public one is asked for; name the other file of the pair, and give this one to nobody.`,
    )
  }
  return parse(file, 'public', () => createPublicKey(pem))
}

/** Throws as `readPublicKey`, for the first that is wrong. */
export function readPublicKeys(files: readonly string[]): Promise<KeyObject[]> {
  return Promise.all(files.map(readPublicKey))
}

async function readPem(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw badInput('bad-key', `The key ${file} cannot be read; \`${commandName()} key\` makes a pair.`, error)
  })
}

function parse(file: string, half: string, read: () => KeyObject): KeyObject {
  let key: KeyObject
  try {
    key = read()
  } catch (error) {
    throw badInput(
      'bad-key',
      `${file} is not a ${half} key in PEM, or its passphrase is another; \`${commandName()} key\` makes a pair.`,
      error,
    )
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return key
  throw badInput(
    'bad-key',
    `${file} is a key of the type ${type}, and ed25519 or P-256 is needed; \`${commandName()} key\` makes a pair.`,
  )
}
