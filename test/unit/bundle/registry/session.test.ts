import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseReference } from '../../../../src/bundle/registry/reference.ts'
import { RegistrySession } from '../../../../src/bundle/registry/session.ts'
import { FakeRegistry } from '../../../support/fake-registry.ts'
import { makeScratch, type Scratch } from '../../../support/scratch.ts'

let registry: FakeRegistry
let scratch: Scratch

beforeEach(async () => {
  registry = await FakeRegistry.start()
  scratch = await makeScratch('session')
})
afterEach(async () => {
  await registry.close()
  await scratch.remove()
})

const login = Buffer.from('partner:secret').toString('base64')

/** The registry lets only one user in from now on, whom Docker's configuration knows. */
async function wantLogin(by: 'basic' | 'token'): Promise<void> {
  registry.account = { username: 'partner', password: 'secret', by }
  const config = JSON.stringify({ auths: { [registry.host]: { auth: login } } })
  await writeFile(path.join(scratch.path, 'config.json'), config)
}

const session = (host: string) =>
  new RegistrySession(parseReference(`${host}/acme/wan`), {
    env: { DOCKER_CONFIG: scratch.path },
    backoff: 1,
  })

describe('a registry over https', () => {
  it('is followed to no address without TLS, such as one for an upload, and nothing is sent there', async () => {
    const address = `http://${registry.host}/v2/acme/wan/blobs/uploads/1`
    const sent = session('registry.example').askOnce({
      method: 'PUT',
      path: address,
      body: Buffer.from('a layer'),
      wanted: [201],
      what: 'It',
    })
    await expect(sent).rejects.toMatchObject({
      message: `it sends on to the unprotected http://${registry.host}`,
      retry: false,
    })
    expect(registry.requests).toEqual([])
  })
})

it('an address of the registry itself without TLS, as one behind a TLS proxy may tell, is asked over TLS', async () => {
  const proxy = http.createServer()
  const reached: (string | undefined)[] = []
  proxy.on('connect', (request, socket) => {
    reached.push(request.url)
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  try {
    const { port } = proxy.address() as AddressInfo
    const env = { DOCKER_CONFIG: scratch.path, https_proxy: `http://127.0.0.1:${port}` }
    const one = new RegistrySession(parseReference('registry.example/acme/wan'), { env, backoff: 1 })
    const path = 'http://registry.example/v2/acme/wan/blobs/uploads/1'
    await expect(one.askOnce({ method: 'PUT', path, wanted: [201], what: 'It' })).rejects.toThrow()
    expect(reached).toEqual(['registry.example:443'])
  } finally {
    proxy.close()
  }
})

describe('a registry on this machine', () => {
  it('that answered in plain http is not taken for one with TLS where it refuses something (400)', async () => {
    const one = session(registry.host)
    expect(await one.readManifest('1.0.0', 'It')).toBeUndefined()
    const body = JSON.stringify({ errors: [{ code: 'MANIFEST_INVALID', message: 'no such kind' }] })
    registry.misbehave(/./, { status: 400, body })
    await expect(one.readManifest('1.0.0', 'It')).rejects.toMatchObject({
      code: 'registry-denied',
      message: `It, because of ${registry.host}/acme/wan: it answers 400 (no such kind); it will say the same again: ask who runs ${registry.host} which rule forbids it (such as tags that may not move, or kinds of artifacts that it does not take).`,
    })
  })
})

describe('a login', () => {
  it.each(['basic', 'token'] as const)(
    'by %s goes to no other host that the registry names, nor is asked for there',
    async (by) => {
      await wantLogin(by)
      registry.put('acme/wan', Buffer.from('{}'), '1.0.0')
      const elsewhere = await FakeRegistry.start()
      try {
        const one = session(registry.host)
        expect(await one.readManifest('1.0.0', 'It')).toBeDefined()
        elsewhere.account = { username: 'partner', password: 'secret', by }
        const address = `http://${elsewhere.host}/v2/acme/wan/blobs/uploads/1`
        const asked = one.askOnce({ path: address, wanted: [200], what: 'It' })
        await expect(asked).rejects.toMatchObject({ status: 401 })
        expect({ requests: elsewhere.requests, logins: elsewhere.logins }).toEqual({
          requests: ['GET acme/wan/blobs/uploads/*'],
          logins: [undefined],
        })
      } finally {
        await elsewhere.close()
      }
    },
  )
})
