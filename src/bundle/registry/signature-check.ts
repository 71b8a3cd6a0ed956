import type { KeyObject } from 'node:crypto'
import { commandName } from '../../lib/command-name.ts'
import type { Digest } from '../../lib/digest.ts'
import { badInput } from '../../lib/errors.ts'
import { keyId } from '../key.ts'
import type { Trust } from '../signature-check.ts'
import { formatReference } from './reference.ts'
import type { RegistrySession } from './session.ts'
import { isAbout, isSigned, signatureLayers, signatureTag } from './simple-signing.ts'

/** More signatures than these are not looked at: a registry may list as many as it likes. */
const most = 50

/**
 * The ID of the trusted key that signed a digest (cosign's tag `sha256-….sig`); undefined where nobody signed, which
 * was allowed. One good signature is enough, whoever else has signed. Throws, all exit code 2: `not-signed`, `no-key`,
 * `other-key`, `bad-signature`.
 */
export async function checkImageSignature(
  session: RegistrySession,
  digest: Digest,
  { keys, allowUnsigned }: Trust,
): Promise<string | undefined> {
  const name = formatReference(session.reference, { digest })
  const what = `The signatures of ${name} cannot be read`
  const found = await session.readManifest(signatureTag(digest), what)
  if (!found) {
    if (allowUnsigned) return undefined
    throw refused('not-signed', name, 'nobody signed it; --allow-unsigned is the only way round this')
  }
  if (keys.length === 0) {
    throw badInput(
      'no-key',
      `${name} is signed, and no key was given to check that with; name the vendor's public key with --key PUB or in SLIPWAY_KEY.`,
    )
  }
  const layers = signatureLayers(found.bytes).slice(0, most)
  let isMeant = false
  for (const layer of layers) {
    const payload = await session.readBlob(layer, what)
    if (!isAbout(payload, digest)) continue
    const by = keys.find((key) => isSigned(layer, payload, key))
    if (by) return keyId(by)
    isMeant = true
  }
  if (isMeant) throw refused('other-key', name, signedByOthers(keys))
  const reason =
    layers.length > 0 ? 'its signature is for another image' : 'its signature cannot be read as one'
  throw refused('bad-signature', name, reason)
}

/** Signatures in this format do not say whose they are: one of another key and one that was altered look the same. */
function signedByOthers(keys: readonly KeyObject[]): string {
  const ids = keys.map(keyId).join(', ')
  return `it is signed, but not by the key to check with, ${ids}: others signed it, or the signature was altered`
}

function refused(code: string, name: string, reason: string): Error {
  return badInput(
    code,
    `${name} is refused: ${reason}. Nothing was loaded; its vendor signs it with ${commandName()} push --key FILE.`,
  )
}
