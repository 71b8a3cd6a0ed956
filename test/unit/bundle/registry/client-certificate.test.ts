import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findClientCertificate } from '../../../../src/bundle/registry/client-certificate.ts'
import { caught } from '../../../support/caught.ts'
import { makeScratch, type Scratch } from '../../../support/scratch.ts'
import { makeTlsFiles } from '../../../support/tls-files.ts'

let scratch: Scratch
let cert: Buffer
let key: Buffer
let other: Buffer
let made = 0

beforeAll(async () => {
  scratch = await makeScratch('client-certificate')
  const { client, stranger } = await makeTlsFiles(path.join(scratch.path, 'tls'))
  cert = await readFile(path.join(client, 'cert.pem'))
  key = await readFile(path.join(client, 'key.pem'))
  other = await readFile(path.join(stranger, 'key.pem'))
})
afterAll(() => scratch.remove())

/** A folder of a registry, with these files. */
async function folderOf(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const folder = path.join(scratch.path, `folder-${++made}`)
  await mkdir(folder)
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(folder, name), bytes)
  return folder
}

const refused = (what: string, reason: string) => ({
  code: 'bad-certificate',
  message: `${what}, which is to say to this registry who asks, ${reason}; put it right, or take it away.`,
})

it('is nobody’s where there is none', async () => {
  const folder = await folderOf({ 'ca.crt': cert, 'readme.txt': 'cert, key' })
  expect(findClientCertificate([path.join(scratch.path, 'nowhere'), folder])).toBe(undefined)
})

it('is the first by name of the first folder that has one', async () => {
  const folder = await folderOf({ 'b.cert': 'no PEM', 'b.key': 'no PEM', 'a.cert': cert, 'a.key': key })
  const later = await folderOf({ 'a.cert': 'no PEM', 'a.key': 'no PEM' })
  expect(findClientCertificate([await folderOf({}), folder, later])).toEqual({ cert, key })
})

it('that has lost its partner is refused by name', async () => {
  const alone = await folderOf({ 'acme.cert': cert, 'other.key': key })
  expect(caught(() => findClientCertificate([alone]))).toMatchObject(
    refused(path.join(alone, 'acme.cert'), 'has no acme.key beside it'),
  )
  const bare = await folderOf({ 'acme.key': key })
  expect(caught(() => findClientCertificate([bare]))).toMatchObject(
    refused(path.join(bare, 'acme.key'), 'has no acme.cert beside it'),
  )
})

it('that is none, or has another’s key, is refused by name', async () => {
  for (const files of [
    { 'a.cert': 'no PEM', 'a.key': key },
    { 'a.cert': cert, 'a.key': other },
  ]) {
    const folder = await folderOf(files)
    const pair = `${path.join(folder, 'a.cert')} with ${path.join(folder, 'a.key')}`
    expect(caught(() => findClientCertificate([folder]))).toMatchObject(
      refused(pair, 'is no certificate in PEM with its key, without a passphrase'),
    )
  }
})

it('that cannot be read is refused by name', async () => {
  const folder = await folderOf({ 'a.key': key })
  await mkdir(path.join(folder, 'a.cert'))
  expect(caught(() => findClientCertificate([folder]))).toMatchObject(
    refused(path.join(folder, 'a.cert'), 'cannot be read (EISDIR)'),
  )
})
