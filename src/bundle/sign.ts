import { type KeyObject, sign } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'

/**
 * A signature in base64: Ed25519 (RFC 8032), or ECDSA with SHA-256 in DER, as cosign writes it. The same bytes have the
 * same signature each time: the nonce of ECDSA is made of them and the key (RFC 6979), where Node's own is random.
 */
export function signBytes(privateKey: KeyObject, bytes: Uint8Array): string {
  if (privateKey.asymmetricKeyType === 'ed25519') return sign(null, bytes, privateKey).toString('base64')
  const secret = Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url')
  return Buffer.from(p256.sign(bytes, secret, { format: 'der', lowS: false })).toString('base64')
}
