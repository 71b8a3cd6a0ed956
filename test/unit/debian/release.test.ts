import fc from 'fast-check'
import { generateKey, readKeys, readSignature, revokeKey } from 'openpgp'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Keyring } from '../../../src/debian/keyring.ts'
import { parseRelease, type ReleaseRules, verifyRelease } from '../../../src/debian/release.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { makeKey, releaseDate, signRelease, type TinyKey } from '../../support/tiny-archive.ts'

const now = new Date('2026-03-10T12:00:00Z')
const signed = new Date('2026-03-10T06:00:00Z')
const rules: ReleaseRules = {
  suite: 'trixie',
  now,
  validUntil: 'required',
  from: 'http://mirror.example/InRelease',
}
const what = 'The InRelease of trixie at http://mirror.example/InRelease'
const hash = 'a'.repeat(64)

let archive: TinyKey
let automatic: TinyKey
let stranger: TinyKey
let keyring: Keyring

async function ringOf(...keys: TinyKey[]): Promise<Keyring> {
  const lists = await Promise.all(keys.map((key) => readKeys({ armoredKeys: key.armored })))
  return { keys: lists.flat(), files: ['/keys/archive.asc'] }
}

function releaseText(fields: Record<string, string | undefined> = {}): string {
  const all: Record<string, string | undefined> = {
    Suite: 'stable',
    Codename: 'trixie',
    Date: releaseDate(signed),
    'Valid-Until': releaseDate(new Date('2026-03-17T06:00:00Z')),
    'Acquire-By-Hash': 'yes',
    Architectures: 'all amd64 arm64',
    Components: 'main contrib',
    SHA256: `\n ${hash} 1234 main/binary-amd64/Packages.xz`,
    ...fields,
  }
  return Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}:${value?.startsWith('\n') ? '' : ' '}${value}\n`)
    .join('')
}

async function refusal(data: string, changes: Partial<ReleaseRules> = {}, ring = keyring) {
  return verifyRelease(Buffer.from(data), ring, { ...rules, ...changes }).then(
    () => 'accepted',
    (error) => [error.code, error.message],
  )
}

/** `message` with the signatures of `other` beside its own. */
async function withSignatureOf(message: string, other: string): Promise<string> {
  const at = (text: string) => text.indexOf('-----BEGIN PGP SIGNATURE')
  const [own, more] = await Promise.all(
    [message, other].map((text) => readSignature({ armoredSignature: text.slice(at(text)) })),
  )
  own!.packets.push(...more!.packets)
  return message.slice(0, at(message)) + own!.armor()
}

beforeAll(async () => {
  archive = await makeKey('Archive')
  automatic = await makeKey('Automatic', { subkey: true })
  stranger = await makeKey('Stranger')
  keyring = await ringOf(archive, automatic)
})

describe('a verified InRelease', () => {
  it('gives what its signed text says, and the primary keys that signed it', async () => {
    const data = await signRelease(releaseText(), [archive, automatic], signed)
    expect(await verifyRelease(Buffer.from(data), keyring, rules)).toEqual({
      codename: 'trixie',
      suite: 'stable',
      date: signed,
      validUntil: new Date('2026-03-17T06:00:00Z'),
      architectures: ['all', 'amd64', 'arm64'],
      components: ['main', 'contrib'],
      acquireByHash: true,
      separateAll: true,
      files: new Map([['main/binary-amd64/Packages.xz', { sha256: hash, size: 1234 }]]),
      signedBy: [archive.fingerprint, automatic.fingerprint].sort(),
    })
  })

  it('may be signed by an unknown key beside a known one', async () => {
    const data = await signRelease(releaseText(), [stranger, archive], signed)
    expect((await verifyRelease(Buffer.from(data), keyring, rules)).signedBy).toEqual([archive.fingerprint])
  })

  it('may be signed by an expired key beside a valid one', async () => {
    const old = await makeKey('Old', { lifetime: 440 * 24 * 3600 })
    const late = { now: new Date('2026-03-20T00:00:00Z'), validUntil: 'waived' as const }
    const data = Buffer.from(await signRelease(releaseText(), [old, archive], signed))
    const release = await verifyRelease(data, await ringOf(old, archive), { ...rules, ...late })
    expect(release.signedBy).toEqual([archive.fingerprint])
  })

  it('may have CRLF line ends', async () => {
    const data = (await signRelease(releaseText(), [archive], signed)).replace(/\r?\n/g, '\r\n')
    expect((await verifyRelease(Buffer.from(data), keyring, rules)).codename).toBe('trixie')
  })

  it('is accepted under its Suite as under its Codename', async () => {
    const data = await signRelease(releaseText(), [archive], signed)
    expect(await refusal(data, { suite: 'stable' })).toBe('accepted')
  })

  it('may come from a host whose clock is an hour behind', async () => {
    const data = await signRelease(releaseText(), [archive], signed)
    expect(await refusal(data, { now: new Date(signed.getTime() - 3600_000) })).toBe('accepted')
  })
})

describe('an InRelease is refused', () => {
  it('when one letter of the signed text is another', async () => {
    const data = (await signRelease(releaseText(), [archive], signed)).replace('1234', '1235')
    expect(await refusal(data)).toEqual([
      'bad-signature',
      `${what} does not match the signature of ${archive.fingerprint} (Signed digest did not match): it was altered after it was signed, so it is refused; try again later or set another debian.mirror.`,
    ])
  })

  it('when a signature of another text by a known key stands beside a good one', async () => {
    const good = await signRelease(releaseText(), [archive], signed)
    const other = await signRelease(releaseText({ Suite: 'oldstable' }), [automatic], signed)
    const both = await withSignatureOf(good, other)
    expect(await refusal(both)).toEqual([
      'bad-signature',
      `${what} does not match the signature of ${automatic.fingerprint} (Signed digest did not match): it was altered after it was signed, so it is refused; try again later or set another debian.mirror.`,
    ])
  })

  it('when no known key signed it', async () => {
    const data = await signRelease(releaseText(), [stranger], signed)
    const id = stranger.privateKey.getKeyID().toHex().toUpperCase()
    expect(await refusal(data)).toEqual([
      'unknown-key',
      `${what} is signed by ${id}, and that key is not in /keys/archive.asc; if you trust this archive, add its key to debian.keyrings.`,
    ])
  })

  it('when only an expired key signed it', async () => {
    const old = await makeKey('Old', { lifetime: 440 * 24 * 3600 })
    const data = await signRelease(releaseText(), [old], signed)
    const ring = await ringOf(old, archive)
    expect(await refusal(data, { now: new Date('2026-03-20T00:00:00Z') }, ring)).toEqual([
      'expired-key',
      `${what} is signed by no key that is valid today (${old.fingerprint} expired on 2026-03-17); get a newer keyring for debian.keyrings (now /keys/archive.asc).`,
    ])
  })

  it('when only a revoked key signed it', async () => {
    const { privateKey } = await generateKey({
      userIDs: [{ name: 'Lost' }],
      format: 'object',
      date: new Date('2025-01-01T00:00:00Z'),
    })
    const lost: TinyKey = { privateKey, armored: '', fingerprint: privateKey.getFingerprint().toUpperCase() }
    const data = await signRelease(releaseText(), [lost], signed)
    const { publicKey } = await revokeKey({
      key: privateKey,
      format: 'object',
      date: new Date('2026-03-10T08:00:00Z'),
    })
    expect(await refusal(data, {}, { keys: [publicKey], files: ['/keys/lost.asc'] })).toEqual([
      'expired-key',
      `${what} is signed by no key that is valid today (${lost.fingerprint} was revoked); get a newer keyring for debian.keyrings (now /keys/lost.asc).`,
    ])
  })

  it('when text stands before the signed part', async () => {
    const data = `Codename: trixie\n${await signRelease(releaseText(), [archive], signed)}`
    expect(await refusal(data)).toEqual([
      'text-outside-signature',
      `${what} has text outside its signed part (line 1), so it is refused; try again later or set another debian.mirror.`,
    ])
  })

  it('when text stands after the signed part', async () => {
    const data = await signRelease(releaseText(), [archive], signed)
    const line = data.trimEnd().split('\n').length + 1
    expect(await refusal(`${data.trimEnd()}\nSHA256:\n`)).toEqual([
      'text-outside-signature',
      `${what} has text outside its signed part (line ${line}), so it is refused; try again later or set another debian.mirror.`,
    ])
  })

  it('when it is two messages, one after the other', async () => {
    const data = await signRelease(releaseText(), [archive], signed)
    expect(await refusal(`${data}\n${data}`)).toEqual([
      'text-outside-signature',
      `${what} has text outside its signed part (more than one message), so it is refused; try again later or set another debian.mirror.`,
    ])
  })

  it.each([
    ['a login page', '<html>please log in</html>'],
    ['nothing', ''],
    ['an unsigned Release', releaseText()],
    ['bytes', '\ufffd\u0000'],
  ])('when it is %s', async (_, data) => {
    expect(await refusal(data)).toEqual([
      'not-signed',
      `${what} is not a clear-signed file, so it is refused; the address may be wrong, or something on the way answers in the mirror's place.`,
    ])
  })

  it('when its signature block is empty', async () => {
    const data = (await signRelease(releaseText(), [archive], signed)).replace(
      /(BEGIN PGP SIGNATURE-----)[\s\S]*(-----END)/,
      '$1\n\n$2',
    )
    expect(await refusal(data)).toEqual([
      'bad-signature',
      `${what} has a signature that cannot be read (Error during parsing. This message / key probably does not conform to a valid OpenPGP format), so it is refused.`,
    ])
  })

  it('or gives the same text, wherever one of its bits is flipped', async () => {
    const data = Buffer.from(await signRelease(releaseText(), [archive], signed))
    const { signedBy: _, ...release } = await verifyRelease(data, keyring, rules)
    await fc.assert(
      fc.asyncProperty(fc.nat(data.length - 1), fc.nat(7), async (at, bit) => {
        const flipped = Buffer.from(data)
        flipped[at]! ^= 1 << bit
        const result = await verifyRelease(flipped, keyring, rules).catch((error) => error)
        if (result instanceof SlipwayError) return
        expect(result).toEqual({ ...release, signedBy: [archive.fingerprint] })
      }),
      { numRuns: 200 },
    )
  })

  it('when its Valid-Until is over', async () => {
    const data = await signRelease(releaseText(), [archive], signed)
    expect(await refusal(data, { now: new Date('2026-03-18T00:00:00Z') })).toEqual([
      'release-expired',
      `${what} was valid until 2026-03-17T06:00:00.000Z and it is 2026-03-18T00:00:00.000Z: the mirror is behind, or something holds updates back; set another mirror, or this machine's clock.`,
    ])
  })

  it('when its Valid-Until is missing where the archive always gives one, and only there', async () => {
    const data = await signRelease(releaseText({ 'Valid-Until': undefined }), [archive], signed)
    expect(await refusal(data)).toEqual([
      'no-valid-until',
      `${what} has no Valid-Until, without which an old state of the archive passes for a new one; set another mirror.`,
    ])
    expect(await refusal(data, { validUntil: 'enforced' })).toBe('accepted')
  })

  it('when it is dated more than a day ahead', async () => {
    const future = new Date('2026-03-12T12:00:00Z')
    const data = await signRelease(releaseText({ Date: releaseDate(future) }), [archive], signed)
    expect(await refusal(data)).toEqual([
      'release-from-future',
      `${what} is dated 2026-03-12T12:00:00.000Z, which is in the future; set this machine's clock (it says 2026-03-10T12:00:00.000Z).`,
    ])
  })

  it('when it was signed more than a day ahead', async () => {
    const data = await signRelease(releaseText(), [archive], new Date('2026-03-12T12:00:00Z'))
    expect(await refusal(data)).toEqual([
      'signature-from-future',
      `${what} was signed on 2026-03-12T12:00:00.000Z, which is in the future; set this machine's clock (it says 2026-03-10T12:00:00.000Z).`,
    ])
  })

  it('when it is of another suite', async () => {
    const data = await signRelease(releaseText(), [archive], signed)
    expect(await refusal(data, { suite: 'bookworm' })).toEqual([
      'wrong-suite',
      'The InRelease of bookworm at http://mirror.example/InRelease is that of trixie (stable), so it is refused; correct debian.suite or debian.mirror in appliance.yaml.',
    ])
  })

  it.each([
    ['has no Date', { Date: undefined }, 'it has no Date'],
    ['has a Date that is none', { Date: 'soon' }, 'its Date "soon" is not a date'],
    ['has no SHA256 list', { SHA256: undefined }, 'it has no SHA256 list'],
    ['has a broken SHA256 line', { SHA256: '\n abc 1 x' }, '"abc 1 x" is no line of a SHA256 list'],
  ])('when its signed text %s', async (_, fields, why) => {
    const data = await signRelease(releaseText(fields), [archive], signed)
    expect(await refusal(data)).toEqual(['bad-release', `${what} cannot be used: ${why}.`])
  })
})

describe('a Release text', () => {
  it('of the security archive has its components without "updates/"', () => {
    const text = releaseText({ Components: 'updates/main updates/contrib' })
    expect(parseRelease(text, what).components).toEqual(['main', 'contrib'])
  })

  it('with No-Support-for-Architecture-all: Packages has no index of `all` alone', () => {
    const text = releaseText({ 'No-Support-for-Architecture-all': 'Packages' })
    expect(parseRelease(text, what).separateAll).toBe(false)
  })
})
