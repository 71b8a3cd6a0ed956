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
  return parse(
    file,
    () => createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) }),
    () => whyUnreadable(pem, passphrase),
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
  return parse(
    file,
    () => createPublicKey(pem),
    () => `is not a public key in PEM; \`${commandName()} key\` makes a pair.`,
  )
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

/** What Node cannot take for a private key, and what to do: the end of a sentence. */
function whyUnreadable(pem: string, passphrase: string | undefined): string {
  if (pem.includes('BEGIN PUBLIC KEY'))
    return 'is a public key, and the private one is asked for; name the other file of the pair.'
  if (/ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY/.test(pem))
    return `is encrypted in cosign's own way, which only cosign reads; \`${commandName()} key --type p256\` makes a pair that both take.`
  if (!pem.includes('PRIVATE KEY')) return `is no private key in PEM; \`${commandName()} key\` makes a pair.`
  if (!isEncrypted(pem)) return `is damaged; take it from where you keep a copy.`
  return passphrase === undefined
    ? 'is encrypted; name the file whose first line is its passphrase with --passphrase-file.'
    : 'has another passphrase than the one given; look into the file that --passphrase-file names.'
}

/** By PKCS #8's label, or by the header of the older formats (RFC 7468, 11; RFC 1421, 4.6.1.1). */
function isEncrypted(pem: string): boolean {
  return pem.includes('ENCRYPTED PRIVATE KEY') || /^Proc-Type: 4,ENCRYPTED/m.test(pem)
}

/** Throws `bad-key` with the reason where it cannot be read, and for a key of another type. */
function parse(file: string, read: () => KeyObject, reason: () => string): KeyObject {
  let key: KeyObject
  try {
    key = read()
  } catch (error) {
    throw badInput('bad-key', `${file} ${reason()}`, error)
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return key
  throw badInput(
    'bad-key',
    `${file} is a key of the type ${[type, details?.namedCurve].filter(Boolean).join(' ')}, and ed25519 or P-256 is needed; \`${commandName()} key\` makes a pair.`,
  )
}
