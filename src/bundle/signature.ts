import { type KeyObject, verify } from 'node:crypto'

/**
 * Whether the key's other half signed exactly these bytes, with Ed25519 or with ECDSA and SHA-256, in base64; a
 * signature that is none is not good.
 */
export function verifyBytes(publicKey: KeyObject, bytes: Uint8Array, signature: string): boolean {
  try {
    // Ed25519 hashes by itself.
    const hash = publicKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
    return verify(hash, bytes, publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}
