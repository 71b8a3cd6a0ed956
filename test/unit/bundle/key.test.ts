import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyId, keyTypes, makeKeyPair, readPrivateKey, readPublicKey } from '../../../src/bundle/key.ts'
import { signBytes } from '../../../src/bundle/sign.ts'
import { verifyBytes } from '../../../src/bundle/signature.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'

let scratch: Scratch
beforeAll(async () => {
  scratch = await makeScratch('key')
})
afterAll(() => scratch.remove())

const put = async (name: string, text: string): Promise<string> => {
  const file = path.join(scratch.path, name)
  await writeFile(file, text)
  return file
}
const text = Buffer.from('what is signed')

it('a P-256 signature has the nonce of RFC 6979 (A.2.5)', () => {
  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
  const part = (hex: string): string => bytes(hex).toString('base64url')
  const x = part('60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6')
  const y = part('7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299')
  const d = part('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721')
  const key = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d }, format: 'jwk' })
  const r = 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716'
  const s = 'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8'
  // In DER a number whose first bit is set begins with a zero.
  const der = bytes(`3046022100${r}022100${s}`)
  expect(signBytes(key, Buffer.from('sample'))).toBe(der.toString('base64'))
})

describe.each(keyTypes)('a pair of keys of the type %s', (type) => {
  const pair = makeKeyPair(type)
  const privateKey = createPrivateKey(pair.privatePem)
  const publicKey = createPublicKey(pair.publicPem)

  it('signs what its public half recognises, and nothing else', () => {
    const signature = signBytes(privateKey, text)
    const other = createPublicKey(makeKeyPair(type).publicPem)
    expect([
      verifyBytes(publicKey, text, signature),
      verifyBytes(publicKey, Buffer.from('what is signeD'), signature),
      verifyBytes(other, text, signature),
      verifyBytes(publicKey, text, 'no signature'),
      verifyBytes(publicKey, text, ''),
    ]).toEqual([true, false, false, false, false])
  })

  it('signs the same bytes alike each time', () => {
    expect(signBytes(privateKey, text)).toBe(signBytes(createPrivateKey(pair.privatePem), text))
  })

  it('has one ID, of either half', () => {
    expect([keyId(privateKey), keyId(publicKey)]).toEqual([pair.id, pair.id])
  })

  it('opens with its passphrase and with no other', async () => {
    const { privatePem, id } = makeKeyPair(type, 'open sesame')
    const file = await put(`${type}.locked`, privatePem)
    expect(keyId(await readPrivateKey(file, 'open sesame'))).toBe(id)
    await expect(readPrivateKey(file, 'open')).rejects.toThrow(
      `${file} has another passphrase than the one given; look into the file that --passphrase-file names.`,
    )
    await expect(readPrivateKey(file)).rejects.toThrow(
      `${file} is encrypted; name the file whose first line is its passphrase with --passphrase-file.`,
    )
  })
})

describe('a key file', () => {
  it('that holds the private key is not taken for the public one', async () => {
    const file = await put('pair.key', makeKeyPair('ed25519').privatePem)
    await expect(readPublicKey(file)).rejects.toThrow(
      `${file} is a private key, and the public one is asked for; name the other file of the pair, and give this one to nobody.`,
    )
  })

  it('that holds the public key is not taken for the private one, nor what only cosign reads', async () => {
    const file = await put('pair.pub', makeKeyPair('ed25519').publicPem)
    await expect(readPrivateKey(file)).rejects.toThrow(
      `${file} is a public key, and the private one is asked for; name the other file of the pair.`,
    )
    const cosign = await put(
      'cosign.key',
      '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAA==\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n',
    )
    await expect(readPrivateKey(cosign)).rejects.toThrow(
      `${cosign} is encrypted in cosign's own way, which only cosign reads; \`slipway key --type p256\` makes a pair that both take.`,
    )
  })

  it('that is missing, or no key, is refused with what to do', async () => {
    const file = await put('no.pub', 'hello')
    const whole = makeKeyPair('ed25519').privatePem
    const cut = await put('cut.key', whole.replace(/\n.{20}/, '\n'))
    await expect(readPublicKey(file)).rejects.toThrow(
      `${file} is not a public key in PEM; \`slipway key\` makes a pair.`,
    )
    await expect(readPrivateKey(file)).rejects.toThrow(
      `${file} is no private key in PEM; \`slipway key\` makes a pair.`,
    )
    await expect(readPrivateKey(cut)).rejects.toThrow(
      `${cut} is damaged; take it from where you keep a copy.`,
    )
    await expect(readPublicKey(`${file}.none`)).rejects.toThrow(
      `The key ${file}.none cannot be read; \`slipway key\` makes a pair.`,
    )
  })

  it('of another type is refused by its name', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
    for (const [key, name] of [
      [rsa, 'rsa'],
      [curve, 'ec secp384r1'],
    ] as const) {
      const file = await put('other.pub', key.export({ type: 'spki', format: 'pem' }).toString())
      await expect(readPublicKey(file)).rejects.toThrow(
        `${file} is a key of the type ${name}, and ed25519 or P-256 is needed; \`slipway key\` makes a pair.`,
      )
    }
  })
})
