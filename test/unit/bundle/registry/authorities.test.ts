import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { authorityFolders, trustAuthorities } from '../../../../src/bundle/registry/authorities.ts'
import { caught } from '../../../support/caught.ts'
import { makeScratch, type Scratch } from '../../../support/scratch.ts'
import { plain, sameSubjectA } from '../../../support/tiny-certificates.ts'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('authorities')
})
afterEach(() => scratch.remove())

it('the folders are the Engine’s, a rootless Engine’s, and Docker Desktop’s', () => {
  const env = { XDG_CONFIG_HOME: '/home/ann/.config', DOCKER_CONFIG: '/home/ann/.docker' }
  expect(authorityFolders('registry.example:5000', env, 'linux')).toEqual([
    '/etc/docker/certs.d/registry.example:5000',
    '/home/ann/.config/docker/certs.d/registry.example:5000',
    '/home/ann/.docker/certs.d/registry.example:5000',
  ])
})

it('on Windows their names are without the colon', () => {
  const env = { ProgramData: 'D:/Data', DOCKER_CONFIG: 'C:/Users/ann/.docker' }
  expect(authorityFolders('registry.example:5000', env, 'win32')).toEqual([
    'D:/Data/docker/certs.d/registry.example5000',
    'C:/Users/ann/.docker/certs.d/registry.example5000',
  ])
})

it('without a certificate in any of them, Node’s own trust stands', async () => {
  const folder = path.join(scratch.path, 'empty')
  await mkdir(folder)
  await writeFile(path.join(folder, 'client.cert'), plain)
  expect(trustAuthorities([path.join(scratch.path, 'nowhere'), folder])).toBe(undefined)
})

it.each([
  ['no PEM', 'is no certificate in PEM'],
  ['', 'is no certificate in PEM'],
])('a certificate that is "%s" is refused by name', async (text, reason) => {
  await writeFile(path.join(scratch.path, 'a.crt'), sameSubjectA)
  const file = path.join(scratch.path, 'ca.crt')
  await writeFile(file, text)
  const { code, message } = caught(() => trustAuthorities([scratch.path]))
  expect([code, message]).toEqual([
    'bad-certificate',
    `${file}, which is to say whom to trust as this registry, ${reason}; put it right, or take it away.`,
  ])
})

it('a certificate that cannot be read is refused by name', async () => {
  const file = path.join(scratch.path, 'ca.crt')
  await mkdir(file)
  expect(caught(() => trustAuthorities([scratch.path])).message).toBe(
    `${file}, which is to say whom to trust as this registry, cannot be read (EISDIR); put it right, or take it away.`,
  )
})
