import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyId, keyTypes, makeKeyPair, readPrivateKey, readPublicKey } from '../../../src/bundle/key.ts'
import { signBytes, verifyBytes } from '../../../src/bundle/signature.ts'
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

  it('has one ID, of either half', () => {
    expect([keyId(privateKey), keyId(publicKey)]).toEqual([pair.id, pair.id])
  })

  it('opens with its passphrase and with no other', async () => {
    const { privatePem, id } = makeKeyPair(type, 'open sesame')
    const file = await put(`${type}.locked`, privatePem)
    expect(keyId(await readPrivateKey(file, 'open sesame'))).toBe(id)
    const refusal = `${file} is not a private key in PEM, or its passphrase is another; \`slipway key\` makes a pair.`
    await expect(readPrivateKey(file, 'open')).rejects.toThrow(refusal)
    await expect(readPrivateKey(file)).rejects.toThrow(refusal)
  })
})

describe('a key file', () => {
  it('that holds the private key is not taken for the public one', async () => {
    const file = await put('pair.key', makeKeyPair('ed25519').privatePem)
    await expect(readPublicKey(file)).rejects.toThrow(
      `${file} is a private key, and the public one is asked for; name the other file of the pair, and give this one to nobody.`,
    )
  })

  it('that is missing, or no key, is refused with what to do', async () => {
    const file = await put('no.pub', 'hello')
    await expect(readPublicKey(file)).rejects.toThrow(
      `${file} is not a public key in PEM, or its passphrase is another; \`slipway key\` makes a pair.`,
    )
    await expect(readPublicKey(`${file}.none`)).rejects.toThrow(
      `The key ${file}.none cannot be read; \`slipway key\` makes a pair.`,
    )
  })

  it('of another type is refused by its name', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const file = await put('rsa.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString())
    await expect(readPublicKey(file)).rejects.toThrow(
      `${file} is a key of the type rsa, and ed25519 or P-256 is needed; \`slipway key\` makes a pair.`,
    )
  })
})
