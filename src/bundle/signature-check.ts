import type { KeyObject } from 'node:crypto'
import { badInput } from '../lib/errors.ts'
import { keyId } from './key.ts'
import { refused } from './refuse.ts'
import { verifyBytes } from './signature.ts'

export interface Trust {
  /** Public keys of which one must have signed. */
  readonly keys: readonly KeyObject[]
  /** Takes a bundle that nobody signed; never one whose signature is wrong. */
  readonly allowUnsigned?: boolean
}

/** What a bundle says of its own signature, before it is believed. */
export interface Claim {
  readonly bytes: Uint8Array
  /** ID of the key that `bundle.json` names. */
  readonly key?: string
  /** The text of `bundle.json.sig`. */
  readonly signature?: string
}

/**
 * The ID of the trusted key that signed; undefined for an unsigned bundle that is allowed. Throws, all exit code 2:
 * `unsigned-bundle`, `no-key`, `other-key`, `bad-signature`.
 */
export function checkSignature(file: string, claim: Claim, trust: Trust): string | undefined {
  const { bytes, key, signature } = claim
  if (signature === undefined) {
    if (key !== undefined) throw refused('bad-signature', file, 'its signature is missing')
    if (trust.allowUnsigned) return undefined
    throw refused('unsigned-bundle', file, 'nobody signed it; --allow-unsigned is the only way round this')
  }
  if (trust.keys.length === 0) {
    throw badInput(
      'no-key',
      `${file} is signed${key ? ` by ${key}` : ''}, and no key was given to check that with; name the vendor's public key with --key PUB or in SLIPWAY_KEY.`,
    )
  }
  const ids = trust.keys.map(keyId)
  const text = signature.replace(/\n$/, '')
  const isPlain = Buffer.from(text, 'base64').toString('base64') === text && signature === `${text}\n`
  const by = trust.keys.find((one) => isPlain && verifyBytes(one, bytes, text))
  if (by && (key === undefined || keyId(by) === key)) return keyId(by)
  if (key !== undefined && !ids.includes(key))
    throw refused(
      'other-key',
      file,
      `it is signed by the key ${key}, and the one to check with is ${ids.join(', ')}`,
    )
  throw refused('bad-signature', file, 'bundle.json or its signature was altered after it was signed')
}
