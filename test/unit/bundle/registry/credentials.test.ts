import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findCredentials } from '../../../../src/bundle/registry/credentials.ts'
import { caughtLater } from '../../../support/caught.ts'
import { makeScratch, type Scratch } from '../../../support/scratch.ts'

const registry = 'registry.example:5000'
let scratch: Scratch
let file: string

beforeEach(async () => {
  scratch = await makeScratch('credentials')
  file = path.join(scratch.path, 'config.json')
})
afterEach(() => scratch.remove())

async function find(config: unknown): Promise<unknown> {
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config))
  const bin = path.join(scratch.path, 'bin')
  return findCredentials(registry, { DOCKER_CONFIG: scratch.path, PATH: `${bin}:${process.env.PATH}` })
}

/** A credential helper of that name: a shell script. */
async function helper(name: string, script: string): Promise<void> {
  const program = path.join(scratch.path, 'bin', `docker-credential-${name}`)
  await mkdir(path.dirname(program), { recursive: true })
  await writeFile(program, `#!/bin/sh\n${script}\n`)
  await chmod(program, 0o755)
}

const login = (text: string) => ({ auth: Buffer.from(text).toString('base64') })

describe('credentials', () => {
  it('are the login that Docker keeps, also under an address', async () => {
    const partner = { username: 'partner', password: 'a:b' }
    expect(await find({ auths: { [registry]: login('partner:a:b') } })).toEqual(partner)
    expect(await find({ auths: { [`https://${registry}/v1/`]: login('partner:a:b') } })).toEqual(partner)
    expect(await find({ auths: { [registry]: { identitytoken: 'token' } } })).toEqual({
      identityToken: 'token',
    })
  })

  it('are none where nothing is kept for the registry', async () => {
    expect(await findCredentials(registry, { DOCKER_CONFIG: scratch.path })).toBe(undefined)
    expect(await find({ auths: { 'registry.example': login('a:b'), 'other.example': login('a:b') } })).toBe(
      undefined,
    )
    expect(await find({})).toBe(undefined)
  })

  it('come from the helper of the registry before the store, and from the store before the file', async () => {
    await helper(
      'own',
      `read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"u $server\\",\\"Secret\\":\\"s\\"}"`,
    )
    await helper('store', `echo '{"Username":"<token>","Secret":"refresh"}'`)
    const auths = { [registry]: login('file:x') }
    const credHelpers = { [registry]: 'own' }
    expect(await find({ auths, credHelpers, credsStore: 'store' })).toEqual({
      username: `u ${registry}`,
      password: 's',
    })
    expect(await find({ auths, credsStore: 'store' })).toEqual({ identityToken: 'refresh' })
  })

  it('are the file’s where the store knows none', async () => {
    await helper('store', 'echo "credentials not found in native keychain"; exit 1')
    expect(await find({ auths: { [registry]: login('file:x') }, credsStore: 'store' })).toEqual({
      username: 'file',
      password: 'x',
    })
  })

  it.each([
    ['gone', undefined, 'cannot be run'],
    ['broken', 'exit 3', 'ended with 3'],
    ['empty', 'echo {}', 'gave no user name and secret'],
    ['../evil', undefined, 'is no name of a program'],
  ])('of the helper %s are an error that names it', async (name, script, reason) => {
    if (script) await helper(name, script)
    expect(await caughtLater(() => find({ credsStore: name }))).toMatchObject({
      code: 'credential-helper-failed',
      message: `docker-credential-${name}, which Docker's config.json names for ${registry}, ${reason}; install it, or take it out of config.json and \`docker login\` again.`,
    })
  })

  it('of a config.json that cannot be read are an error, exit code 2', async () => {
    expect(await caughtLater(() => find('{'))).toMatchObject({
      exitCode: 2,
      message: `${file} is not a JSON object; repair it, or set DOCKER_CONFIG.`,
    })
    expect(await caughtLater(() => find({ auths: { [registry]: { auth: 'bm8gY29sb24=' } } }))).toMatchObject({
      exitCode: 2,
      message: `${file} holds a login for ${registry} that cannot be read; \`docker login ${registry}\` writes it anew.`,
    })
  })
})
