import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { unarmor } from 'openpgp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readKeyrings } from '../../../src/debian/keyring.ts'
import { makeKey, type TinyKey } from '../../support/tiny-archive.ts'

let folder: string
let one: TinyKey
let two: TinyKey

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-keyring-'))
  one = await makeKey('One')
  two = await makeKey('Two', { subkey: true })
})

afterAll(() => rm(folder, { recursive: true }))

async function fingerprints(...contents: (string | Uint8Array)[]): Promise<string[]> {
  const files = contents.map((_, index) => path.join(folder, `${index}.gpg`))
  await Promise.all(contents.map((content, index) => writeFile(files[index]!, content)))
  return (await readKeyrings(files)).keys.map((key) => key.getFingerprint().toUpperCase())
}

const binary = async (key: TinyKey) => (await unarmor(key.armored)).data as Uint8Array

it('a keyring may be armored, several blocks in one file', async () => {
  expect(await fingerprints(`Comment\n${one.armored}\n${two.armored}`)).toEqual([
    one.fingerprint,
    two.fingerprint,
  ])
})

it('a keyring may be armored with CRLF line ends', async () => {
  expect(await fingerprints(one.armored.replace(/\r?\n/g, '\r\n'))).toEqual([one.fingerprint])
})

it('a keyring may be binary, several keys in one file', async () => {
  expect(await fingerprints(Buffer.concat([await binary(one), await binary(two)]))).toEqual([
    one.fingerprint,
    two.fingerprint,
  ])
})

it('several keyrings count as one', async () => {
  expect(await fingerprints(one.armored, await binary(two))).toEqual([one.fingerprint, two.fingerprint])
})

it('a private key gives only its public part', async () => {
  const file = path.join(folder, 'private.gpg')
  await writeFile(file, one.privateKey.write())
  const { keys } = await readKeyrings([file])
  expect(keys.map((key) => key.isPrivate())).toEqual([false])
})

it.each([
  ['is empty', '', 'it is empty'],
  ['is text', 'hello there', 'it is neither armored nor binary OpenPGP data'],
  [
    'is a key box',
    Buffer.concat([Buffer.alloc(8), Buffer.from('KBXf'), Buffer.alloc(20)]),
    'it is a GnuPG key box, which "gpg --export" turns into a keyring',
  ],
])('a keyring that %s is refused', async (_, content, why) => {
  await expect(fingerprints(content)).rejects.toMatchObject({
    code: 'bad-keyring',
    exitCode: 2,
    message: `${path.join(folder, '0.gpg')} is not a keyring of OpenPGP public keys: ${why}.`,
  })
})
