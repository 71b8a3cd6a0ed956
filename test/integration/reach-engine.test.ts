import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import path from 'node:path'
import { createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { type SshServer, startSshServer } from '../support/ssh-server.ts'
import { makeTlsFiles, type TlsFiles } from '../support/tls-files.ts'

let scratch: Scratch
let hostName: string
let socketPath: string

beforeAll(async () => {
  scratch = await makeScratch('reach')
  const engine = await connectEngine()
  hostName = (await engine.info()).hostName
  socketPath = engine.endpoint.socketPath!
})

afterAll(() => scratch.remove())

/** What a command that needs nothing but the Engine comes to. */
async function status(env: NodeJS.ProcessEnv): Promise<{ exitCode: number | undefined; said: string }> {
  const { exitCode, stdout, stderr } = await slipway(['status', '--name', 'slipway-reach-none'], { env })
  return { exitCode, said: `${stdout}${stderr}` }
}

const reached = {
  exitCode: 1,
  said: 'slipway-reach-none is not installed on this host; `slipway install` installs it.',
}

describe('an Engine behind TLS', () => {
  let tls: TlsFiles
  let server: Server
  let address: string

  beforeAll(async () => {
    tls = await makeTlsFiles(scratch.path)
    const { 'ca.pem': ca, 'cert.pem': cert, 'key.pem': key } = tls.server
    server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (client) => {
      const engine = connect(socketPath)
      client.pipe(engine).pipe(client)
      for (const end of [client, engine]) end.on('error', () => client.destroy())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterAll(() => void server.close())

  const secured = (folder: string) => ({
    DOCKER_HOST: address,
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: folder,
  })

  it('is reached with the certificates of DOCKER_CERT_PATH', async () => {
    const engine = await connectEngine(secured(tls.client))
    expect(engine.endpoint).toMatchObject({ transport: 'tcp', source: 'DOCKER_HOST' })
    expect((await engine.info()).hostName).toBe(hostName)
    expect(await status(secured(tls.client))).toEqual(reached)
  })

  it('that is another than it should be is refused in one sentence', async () => {
    expect(await status(secured(tls.stranger))).toEqual({
      exitCode: 3,
      said: `slipway: The Docker Engine at ${address} (from DOCKER_HOST) and this machine do not trust each other (SELF_SIGNED_CERT_IN_CHAIN): check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH.`,
    })
  })

  it('is taken unseen where DOCKER_TLS_VERIFY is not set, as the Docker CLI does', async () => {
    const trusting = path.join(scratch.path, 'trusting')
    await mkdir(trusting)
    for (const name of ['cert.pem', 'key.pem'])
      await copyFile(path.join(tls.client, name), path.join(trusting, name))
    expect(await status({ DOCKER_HOST: address, DOCKER_CERT_PATH: trusting })).toEqual(reached)
  })

  it('is reached by a context on disk, with its address and certificates', async () => {
    const config = await writeContext('edge', address)
    const folder = path.join(config, 'contexts', 'tls', idOf('edge'), 'docker')
    await mkdir(folder, { recursive: true })
    for (const name of ['ca.pem', 'cert.pem', 'key.pem'])
      await copyFile(path.join(tls.client, name), path.join(folder, name))
    const env = { DOCKER_CONFIG: config, DOCKER_CONTEXT: 'edge' }
    expect((await connectEngine(env)).endpoint).toMatchObject({ address, source: 'context edge' })
    expect(await status(env)).toEqual(reached)
  })
})

const idOf = (context: string): string => createHash('sha256').update(context).digest('hex')

/** A folder for DOCKER_CONFIG with one context, in Docker's own form. */
async function writeContext(name: string, host: string): Promise<string> {
  const config = path.join(scratch.path, `config-${name}`)
  const folder = path.join(config, 'contexts', 'meta', idOf(name))
  await mkdir(folder, { recursive: true })
  const meta = { Name: name, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } }
  await writeFile(path.join(folder, 'meta.json'), JSON.stringify(meta))
  return config
}

describe('a Docker context', () => {
  it('counts where config.json says that it is the current one, and DOCKER_HOST counts before it', async () => {
    const config = await writeContext('here', `unix://${socketPath}`)
    await writeFile(path.join(config, 'config.json'), '{"currentContext":"here"}')
    expect((await connectEngine({ DOCKER_CONFIG: config })).endpoint.source).toBe('context here')
    expect(await status({ DOCKER_CONFIG: config })).toEqual(reached)
    const env = { DOCKER_CONFIG: config, DOCKER_HOST: 'tcp://127.0.0.1:1' }
    expect((await status(env)).said).toMatch(/^slipway: No Docker Engine answers at tcp:\/\/127\.0\.0\.1:1 /)
  })

  it('that is not there is told, and where they are', async () => {
    const config = await writeContext('other', `unix://${socketPath}`)
    expect(await status({ DOCKER_CONFIG: config, DOCKER_CONTEXT: 'egde' })).toEqual({
      exitCode: 2,
      said: `slipway: There is no Docker context "egde" under ${config}; \`docker context ls\` lists them, and DOCKER_CONTEXT=default takes this machine's own Engine.`,
    })
  })
})

describe('an Engine behind ssh', () => {
  let server: SshServer

  beforeAll(async () => {
    const folder = path.join(scratch.path, 'ssh')
    await mkdir(folder)
    server = await startSshServer(folder)
  })

  afterAll(() => server?.close())

  it('is reached with the keys, names and ports of ssh’s own configuration', async () => {
    expect(await status({ ...server.env, DOCKER_HOST: 'ssh://root@edge' })).toEqual(reached)
    const plain = { ...server.env, DOCKER_HOST: `ssh://root@127.0.0.1:${server.port}` }
    expect(await status(plain)).toEqual(reached)
  })

  it('does what takes a stream in both directions, and many things at once', async () => {
    const name = `slipway-reach-${process.pid}`
    const near = await connectEngine()
    const far = await connectEngine({ ...process.env, ...server.env, DOCKER_HOST: 'ssh://root@edge' })
    const image = (await near.images.list()).find(({ tags }) => tags.length > 0)
    expect((await far.info()).hostName).toBe(hostName)
    expect(await far.images.inspect(image!.id)).toEqual(await near.images.inspect(image!.id))
    const volumes = Array.from({ length: 12 }, (_, index) => `${name}-${index}`)
    const created = volumes.map((volume) =>
      far.volumes.create({ name: volume, driver: 'local', options: {}, labels: {} }),
    )
    await Promise.all(created)
    const there = (await near.volumes.list()).map((one) => one.Name).filter((one) => volumes.includes(one))
    await Promise.all(volumes.map((volume) => far.volumes.remove(volume)))
    expect(there.sort()).toEqual(volumes.sort())
  })

  it('that refuses our key is told in one sentence, with what ssh said', async () => {
    await writeFile(server.authorizedKeys, '')
    expect(await status({ ...server.env, DOCKER_HOST: 'ssh://root@edge' })).toEqual({
      exitCode: 3,
      said: 'slipway: No Docker Engine can be reached by ssh at ssh://root@edge (from DOCKER_HOST): root@127.0.0.1: Permission denied (publickey); `ssh -l root edge docker version` must work without a question, then run the same command again.',
    })
  })

  it('whose host key nobody has accepted is refused', async () => {
    await writeFile(server.knownHosts, '')
    expect(await status({ ...server.env, DOCKER_HOST: 'ssh://root@edge' })).toEqual({
      exitCode: 3,
      said: 'slipway: No Docker Engine can be reached by ssh at ssh://root@edge (from DOCKER_HOST): Host key verification failed; `ssh -l root edge docker version` must work without a question, then run the same command again.',
    })
  })

  it('where no sshd listens, or no ssh is installed, is told', async () => {
    expect((await status({ ...server.env, DOCKER_HOST: 'ssh://root@127.0.0.1:1' })).said).toMatch(
      /: connect to host 127\.0\.0\.1 port 1: Connection refused; `ssh -l root -p 1 127\.0\.0\.1 docker version` must work/,
    )
    expect((await status({ PATH: '/nowhere', DOCKER_HOST: 'ssh://root@edge' })).said).toContain(
      ': the program ssh cannot be run (install an OpenSSH client); ',
    )
  })
})
