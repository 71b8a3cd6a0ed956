import type { PublicKey } from 'openpgp'
import { SlipwayError } from '../lib/errors.ts'
import type { Keyring } from './keyring.ts'

/** A text that keys of the keyring signed: only this was signed, whatever else the file held. */
export interface SignedText {
  readonly text: string
  /** Fingerprints of the primary keys, upper-case hex, sorted. */
  readonly signedBy: readonly string[]
}

export const day = 24 * 3600 * 1000

/**
 * Verifies a clear-signed message (RFC 9580, 7) that must be the whole of the file. At least one signature must be
 * good and by a key that is valid now; another one by a known key that does not match the text refuses it all.
 * `what` begins the error: "The InRelease of trixie at …". Error codes: `not-signed`, `text-outside-signature`,
 * `unknown-key`, `bad-signature`, `expired-key`, `signature-from-future`.
 */
export async function verifySignedText(
  data: Uint8Array,
  keyring: Keyring,
  now: Date,
  what: string,
): Promise<SignedText> {
  const message = checkFrame(data, what)
  const { readCleartextMessage, verify } = await import('openpgp')
  const refuse = (code: string, why: string, cause?: unknown) =>
    new SlipwayError(code, `${what} ${why}`, { cause })

  const unreadable = (error: unknown) => {
    throw refuse(
      'bad-signature',
      `has a signature that cannot be read (${textOf(error)}), so it is refused.`,
      error,
    )
  }
  const read = await readCleartextMessage({ cleartextMessage: message }).catch(unreadable)
  // A clock that is a little slow must not make a fresh archive look forged.
  const { data: text, signatures } = await verify({
    message: read,
    verificationKeys: [...keyring.keys],
    date: new Date(now.getTime() + day),
  }).catch(unreadable)

  const signedBy = new Set<string>()
  const worthless: string[] = []
  for (const { keyID, verified, signature } of signatures) {
    const key = keyring.keys.find((candidate) => candidate.getKeys(keyID).length > 0)
    if (!key) continue
    const fingerprint = key.getFingerprint().toUpperCase()
    const created = (await signature.catch(unreadable)).packets[0]?.created
    if (created && created.getTime() > now.getTime() + day) {
      throw refuse(
        'signature-from-future',
        `was signed on ${created.toISOString()}, which is in the future; set this machine's clock (it says ${now.toISOString()}).`,
      )
    }
    const unusable = await whyUnusable(key, keyID, now)
    if (unusable !== undefined) {
      worthless.push(`${fingerprint} ${unusable}`)
      continue
    }
    try {
      await verified
    } catch (error) {
      throw refuse(
        'bad-signature',
        `does not match the signature of ${fingerprint} (${textOf(error)}): it was altered after it was signed, so it is refused; try again later or set another debian.mirror.`,
        error,
      )
    }
    signedBy.add(fingerprint)
  }
  if (signedBy.size > 0) return { text, signedBy: [...signedBy].sort() }
  const keyrings = keyring.files.join(', ')
  if (worthless.length > 0) {
    throw refuse(
      'expired-key',
      `is signed by no key that is valid today (${worthless.join('; ')}); get a newer keyring for debian.keyrings (now ${keyrings}).`,
    )
  }
  const ids = signatures.map(({ keyID }) => keyID.toHex().toUpperCase())
  throw refuse(
    'unknown-key',
    `is signed by ${ids.join(', ') || 'nobody'}, and that key is not in ${keyrings}; if you trust this archive, add its key to debian.keyrings.`,
  )
}

/** The file must be one clear-signed message, with nothing before, between or after its parts. */
function checkFrame(data: Uint8Array, what: string): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(data)
  } catch {
    text = ''
  }
  const lines = text.split('\n').map((line) => line.trimEnd())
  while (lines.at(-1) === '') lines.pop()
  const marks = lines.flatMap((line, index) => (line.startsWith('-----') ? [{ line, index }] : []))
  const order = [
    '-----BEGIN PGP SIGNED MESSAGE-----',
    '-----BEGIN PGP SIGNATURE-----',
    '-----END PGP SIGNATURE-----',
  ]
  if (!order.every((mark) => marks.some(({ line }) => line === mark))) {
    throw new SlipwayError(
      'not-signed',
      `${what} is not a clear-signed file, so it is refused; the address may be wrong, or something on the way answers in the mirror's place.`,
    )
  }
  const framed = marks.length === 3 && marks.every(({ line }, index) => line === order[index])
  const stray = marks[0]!.index > 0 ? 1 : (marks[2]?.index ?? 0) + 2
  if (!framed || marks[0]!.index > 0 || marks[2]!.index < lines.length - 1) {
    throw new SlipwayError(
      'text-outside-signature',
      `${what} has text outside its signed part (${framed ? `line ${stray}` : 'more than one message'}), so it is refused; try again later or set another debian.mirror.`,
    )
  }
  return text
}

async function whyUnusable(
  key: PublicKey,
  keyID: Parameters<PublicKey['getKeys']>[0],
  now: Date,
): Promise<string | undefined> {
  try {
    await key.getSigningKey(keyID ?? undefined, now)
    return undefined
  } catch (error) {
    if (await key.isRevoked(undefined, undefined, now).catch(() => false)) return 'was revoked'
    const expires = await key.getExpirationTime().catch(() => null)
    if (expires instanceof Date && expires <= now) return `expired on ${expires.toISOString().slice(0, 10)}`
    return `cannot be used: ${textOf(error)}`
  }
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
}
