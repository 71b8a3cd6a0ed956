import { type KeyObject, sign, verify } from 'node:crypto'

/** A signature in base64: Ed25519 (RFC 8032), or ECDSA with SHA-256 in DER, as cosign writes it. */
export function signBytes(privateKey: KeyObject, bytes: Uint8Array): string {
  return sign(hashOf(privateKey), bytes, privateKey).toString('base64')
}

/** Whether the key's other half signed exactly these bytes; a signature that is none is not good. */
export function verifyBytes(publicKey: KeyObject, bytes: Uint8Array, signature: string): boolean {
  try {
    return verify(hashOf(publicKey), bytes, publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

/** Ed25519 hashes by itself. */
function hashOf({ asymmetricKeyType }: KeyObject): string | null {
  return asymmetricKeyType === 'ed25519' ? null : 'sha256'
}
