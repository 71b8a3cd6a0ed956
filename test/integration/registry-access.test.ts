import { once } from 'node:events'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRegistryImage } from '../../src/bundle/registry/pull.ts'
import { parseReference } from '../../src/bundle/registry/reference.ts'
import { RegistrySession } from '../../src/bundle/registry/session.ts'
import { silent } from '../../src/lib/progress.ts'
import { caughtLater } from '../support/caught.ts'
import { DebianRegistry } from '../support/debian-registry.ts'
import { writeDockerFolder } from '../support/docker-folder.ts'
import { writePushableLayout } from '../support/pushable-layout.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { TinyProxy } from '../support/tiny-proxy.ts'
import { makeTlsFiles } from '../support/tls-files.ts'
import { TokenServer } from '../support/token-server.ts'

let scratch: Scratch
let layout: Awaited<ReturnType<typeof writePushableLayout>>
let tokens: TokenServer
/** Plain http, passwords. */
let plain: DebianRegistry
/** https, tokens. */
let secure: DebianRegistry
/** https, certificates of clients. */
let closed: DebianRegistry
let proxy: TinyProxy

const file = (...parts: string[]) => path.join(scratch.path, ...parts)

beforeAll(async () => {
  scratch = await makeScratch('registry-access')
  const { server, client, stranger } = await makeTlsFiles(file('tls'))
  tokens = await TokenServer.start({ certificate: server['cert.pem'], key: server['key.pem'] })
  const authority = file('tls', 'server', 'ca.pem')
  const tls = { certificate: file('tls', 'server', 'cert.pem'), key: file('tls', 'server', 'key.pem') }
  plain = await DebianRegistry.start(file('plain'), { login: 'basic' })
  secure = await DebianRegistry.start(file('secure'), { login: { realm: tokens.realm, authority }, tls })
  closed = await DebianRegistry.start(file('closed'), { tls: { ...tls, clients: authority } })
  proxy = await TinyProxy.start({ 'plain.example': plain.host, 'registry.example': secure.host })
  layout = await writePushableLayout(file('layout'))
  const registries = [plain.host, secure.host, 'plain.example', 'registry.example']
  const trusting = { registries, authority: server['ca.pem'] }
  await writeDockerFolder(file('right'), { ...trusting, login: { password: 'secret' } })
  await writeDockerFolder(file('wrong'), { ...trusting, login: { password: 'secrets' } })
  await writeDockerFolder(file('identity'), { ...trusting, login: { identitytoken: 'identity' } })
  const atClosed = { ...trusting, registries: [closed.host], login: { password: 'secret' } }
  await writeDockerFolder(file('nobody'), atClosed)
  await writeDockerFolder(file('client'), { ...atClosed, client })
  await writeDockerFolder(file('stranger'), { ...atClosed, client: stranger })
  await writeDockerFolder(file('trusting-nobody'), { registries, login: { password: 'secret' } })
})
afterAll(async () => {
  await Promise.all([plain?.stop(), secure?.stop(), closed?.stop(), tokens?.close(), proxy?.close()])
  await scratch.remove()
})

const envOf = (folder: string, more: NodeJS.ProcessEnv = {}) => ({
  SLIPWAY_CACHE: file('cache'),
  DOCKER_CONFIG: file(folder),
  ...more,
})

async function push(reference: string, env: NodeJS.ProcessEnv, ...more: string[]) {
  const { exitCode, stdout, stderr } = await slipway(['push', reference, file('layout'), ...more], { env })
  return exitCode === 0
    ? { exitCode, installs: /slipway install (.*)$/m.exec(stdout)?.[1] }
    : { exitCode, stderr }
}

/** Pulls what `install` would, by digest. */
async function pull(reference: string, folder: string, docker = 'right'): Promise<number> {
  const session = new RegistrySession(parseReference(reference), { env: envOf(docker) })
  const image = await openRegistryImage(session, {
    platform: 'linux/amd64',
    folder: file(folder),
    report: silent,
  })
  await image.bring?.(image.layers)
  const layers = await Promise.all(image.layers.map((layer) => image.open(layer).toArray()))
  return layers.flat().length
}

const cannotAsk = (name: string, because: string) => ({
  exitCode: 1,
  stderr: `slipway: What the tag 1.0.0 names cannot be asked, because of ${name}: ${because}.`,
})

describe('a registry that asks for a password', () => {
  const name = () => `${plain.host}/acme/small`

  it('is told none, or a wrong one: it says what logs in', async () => {
    const asks = 'it answers 401: it asks for a password'
    const login = `\`docker login ${plain.host}\``
    const nobody = { SLIPWAY_CACHE: file('cache'), DOCKER_CONFIG: file('nowhere') }
    expect(await push(name(), nobody)).toEqual(cannotAsk(name(), `${asks}; ${login} logs in`))
    expect(await push(name(), envOf('wrong'))).toEqual(
      cannotAsk(name(), `${asks}; it did not take the login that Docker has, which ${login} renews`),
    )
  })

  it('takes and gives an image with the right one', async () => {
    const installs = `${name()}@${layout.index.digest}`
    expect(await push(name(), envOf('right'))).toEqual({ exitCode: 0, installs })
    expect(await pull(installs, 'pulled-plain')).toBeGreaterThan(0)
  })
})

describe('a registry that speaks https and sends for tokens', () => {
  const name = () => `${secure.host}/acme/small`

  it('is not believed while nobody named the authority of its certificate', async () => {
    expect(await push(name(), envOf('trusting-nobody'))).toEqual(
      cannotAsk(
        name(),
        `its certificate is from an authority that is not known here; put the authority's certificate into /etc/docker/certs.d/${secure.host} as ca.crt, where Docker looks for it too`,
      ),
    )
  })

  it('takes and gives an image where Docker’s folder names it, for tokens of just what is done', async () => {
    const installs = `${name()}@${layout.index.digest}`
    expect(await push(name(), envOf('right'))).toEqual({ exitCode: 0, installs })
    expect(await pull(installs, 'pulled-secure')).toBeGreaterThan(0)
    expect(tokens.scopes).toEqual([
      ['repository:acme/small:pull', 'repository:acme/small:pull,push'],
      ['repository:acme/small:pull'],
    ])
  })

  it('takes one for an identity token, which buys others', async () => {
    tokens.scopes.length = 0
    const env = envOf('identity', { SLIPWAY_CACHE: file('other-cache') })
    expect(await push(`${secure.host}/acme/bought`, env)).toMatchObject({ exitCode: 0 })
    expect(tokens.scopes).toEqual([['repository:acme/bought:pull', 'repository:acme/bought:pull,push']])
  })

  it('takes one where NODE_EXTRA_CA_CERTS names it', async () => {
    const env = { NODE_EXTRA_CA_CERTS: file('tls', 'server', 'ca.pem') }
    const pushed = await push(`${secure.host}/acme/extra`, envOf('trusting-nobody', env))
    expect(pushed).toMatchObject({ exitCode: 0 })
  })

  it('says so where its token service does not take the login', async () => {
    const service = new URL(tokens.realm).host
    expect(await push(name(), envOf('wrong'))).toEqual(
      cannotAsk(
        name(),
        `its token service ${service} answers 401; it did not take the login that Docker has, which \`docker login ${secure.host}\` renews`,
      ),
    )
  })
})

describe('a registry that knows its clients by their certificates', () => {
  const name = () => `${closed.host}/acme/small`

  it('takes and gives an image where Docker’s folder holds one with its key', async () => {
    const installs = `${name()}@${layout.index.digest}`
    expect(await push(name(), envOf('client'))).toEqual({ exitCode: 0, installs })
    expect(await pull(installs, 'pulled-closed', 'client')).toBeGreaterThan(0)
  })

  it.each(['nobody', 'stranger'])('refuses %s, and it is said what to put where', async (folder) => {
    expect(await push(name(), envOf(folder))).toEqual(
      cannotAsk(
        name(),
        `it wants a certificate of this client that it knows; put it and its key into /etc/docker/certs.d/${closed.host} as client.cert and client.key, where Docker looks for them too`,
      ),
    )
  })
})

describe('behind a proxy', () => {
  const through = (more: NodeJS.ProcessEnv = {}) =>
    envOf('right', { HTTPS_PROXY: proxy.host, HTTP_PROXY: proxy.host, ...more })

  it('a registry over https is reached through a tunnel', async () => {
    const name = 'registry.example/acme/proxied'
    const installs = `${name}@${layout.index.digest}`
    expect(await push(name, through())).toEqual({ exitCode: 0, installs })
    expect(new Set(proxy.requests.splice(0))).toEqual(new Set(['CONNECT registry.example:443']))
  })

  it('a registry without TLS is spoken to with --insecure, and not without', async () => {
    const name = 'plain.example/acme/proxied'
    expect(await push(name, through())).toEqual(
      cannotAsk(
        name,
        'it does not speak TLS; --insecure speaks plain http to it, which anybody on the way can read and alter',
      ),
    )
    expect(proxy.requests.splice(0)).toEqual(['CONNECT plain.example:443'])
    const installs = `${name}@${layout.index.digest}`
    expect(await push(name, through(), '--insecure')).toEqual({ exitCode: 0, installs })
    const asked = proxy.requests.splice(0)
    expect(asked.filter((one) => !one.includes(' http://plain.example/v2/acme/proxied/'))).toEqual([])
    expect(asked[0]).toBe('HEAD http://plain.example/v2/acme/proxied/manifests/1.0.0')
  })

  it('that asks for a password itself, says so, and takes the one of its address', async () => {
    const closed = await TinyProxy.start({ 'registry.example': secure.host }, 'clerk:word')
    const name = 'registry.example/acme/proxied'
    try {
      expect(await push(name, through({ HTTPS_PROXY: closed.host }))).toEqual(
        cannotAsk(
          name,
          `the proxy ${closed.host} answers 407: it asks for a password (http://user:password@host:port); run the same command again later`,
        ),
      )
      const known = { HTTPS_PROXY: `http://clerk:word@${closed.host}` }
      expect(await push(name, through(known))).toMatchObject({ exitCode: 0 })
    } finally {
      await closed.close()
    }
  })

  it('a registry of this machine is spoken to directly', async () => {
    expect(await push(`${plain.host}/acme/small`, through())).toMatchObject({ exitCode: 0 })
    expect(proxy.requests).toEqual([])
  })
})

describe('a registry over https that sends to where there is no TLS', () => {
  it.each([
    [
      'for a manifest',
      () => ({ status: 307, headers: { location: `http://${plain.host}/v2/` } }),
      () => `it redirects from https to the unprotected http://${plain.host}/v2/`,
    ],
    [
      'for a token',
      () => ({ status: 401, headers: { 'www-authenticate': `Bearer realm="http://${plain.host}/token"` } }),
      () => `it sends for a token to the unprotected http://${plain.host}`,
    ],
  ])('%s is not followed', async (_, answer, reason) => {
    const { server } = await makeTlsFiles(file('astray'))
    const astray = https.createServer({ cert: server['cert.pem'], key: server['key.pem'] }, (_, response) => {
      const { status, headers } = answer()
      response.writeHead(status, headers).end()
    })
    await once(astray.listen(0, '127.0.0.1'), 'listening')
    const { port } = astray.address() as AddressInfo
    const way = await TinyProxy.start({ 'registry.example': `127.0.0.1:${port}` })
    await writeDockerFolder(file('astray-docker'), {
      registries: ['registry.example'],
      login: { password: 'secret' },
      authority: server['ca.pem'],
    })
    try {
      await plain.takeRequests()
      const env = envOf('astray-docker', { https_proxy: `http://${way.host}` })
      const session = new RegistrySession(parseReference('registry.example/acme/small'), { env })
      const { message } = await caughtLater(() => session.readManifest('1.0.0', 'It cannot be read'))
      expect(message).toBe(
        `It cannot be read, because of registry.example/acme/small: ${reason()}; run the same command again later.`,
      )
      expect(await plain.takeRequests()).toEqual([])
    } finally {
      await way.close()
      astray.closeAllConnections()
      astray.close()
    }
  })
})
