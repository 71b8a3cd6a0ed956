import { readdir, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLayoutContent } from '../../src/bundle/registry/layout-content.ts'
import { openRegistryImage } from '../../src/bundle/registry/pull.ts'
import { parseReference } from '../../src/bundle/registry/reference.ts'
import { RegistrySession } from '../../src/bundle/registry/session.ts'
import { connectEngine } from '../../src/engine/connect.ts'
import { loadImage } from '../../src/engine/load-image.ts'
import { hexOf } from '../../src/lib/digest.ts'
import { silent } from '../../src/lib/progress.ts'
import { builtImage } from '../support/built-image.ts'
import { DebianRegistry } from '../support/debian-registry.ts'
import { noise, writePushableLayout } from '../support/pushable-layout.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { busyboxLayer } from '../support/tiny-layout.ts'

const { layoutDirectory, productDirectory } = builtImage()
const name = `slipway-test-registry-${process.pid}`
let scratch: Scratch
let registry: DebianRegistry
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  scratch = await makeScratch('registry')
  registry = await DebianRegistry.start(path.join(scratch.path, 'registry'))
  env = { SLIPWAY_CACHE: path.join(scratch.path, 'cache'), DOCKER_CONFIG: scratch.path }
  await slipway(['key', '--type', 'p256', '--out', 'signing'], { cwd: scratch.path })
})
afterAll(async () => {
  const { images } = await connectEngine()
  for (const image of await images.list()) {
    for (const tag of image.tags) if (tag.startsWith(`${name}:`)) await images.remove(tag)
  }
  await registry?.stop()
  await scratch.remove()
})

const file = (...parts: string[]) => path.join(scratch.path, ...parts)
const push = (...parameters: string[]) => slipway(['push', ...parameters], { env })
const skopeo = (...parameters: string[]) => execa('skopeo', parameters, { reject: false, all: true })

describe('the reference appliance in Debian’s docker-registry', () => {
  it('is pushed by --dry-run in words only, then whole, with a signature of each manifest', async () => {
    const reference = `${registry.host}/acme/wan`
    const dry = await push(reference, layoutDirectory, '--dry-run', '--json')
    expect(dry).toMatchObject({ exitCode: 0 })
    expect((await registry.takeRequests()).every((request) => request.startsWith('HEAD '))).toBe(true)
    const pushed = await push(reference, layoutDirectory, '--key', file('signing.key'), '--json')
    expect(pushed).toMatchObject({ exitCode: 0 })
    const { uploaded, uploadedBytes } = JSON.parse(dry.stdout)
    expect(JSON.parse(pushed.stdout)).toMatchObject({
      uploaded,
      uploadedBytes,
      signatures: 3,
      tagMoved: true,
    })
  })

  it('is taken over by skopeo, blob by blob the same', async () => {
    const { root, images, tag } = await readLayoutContent(layoutDirectory)
    const from = `docker://${registry.host}/acme/wan`
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `${from}:${tag}`)
    expect(raw.stdout).toBe(Buffer.from(root.bytes).toString())
    const copy = await skopeo(
      ...[
        'copy',
        '--all',
        '--src-tls-verify=false',
        `${from}@${root.descriptor.digest}`,
        `oci:${file('copy')}:x`,
      ],
    )
    expect(copy).toMatchObject({ exitCode: 0 })
    const blobs = images.flatMap((image) => [image.descriptor, ...image.blobs])
    const named = new Set([root.descriptor, ...blobs].map(({ digest }) => hexOf(digest)))
    expect((await readdir(file('copy', 'blobs', 'sha256'))).sort()).toEqual([...named].sort())
  })

  it('bears a signature that OpenSSL finds good, where cosign looks for it', async () => {
    const { root } = await readLayoutContent(layoutDirectory)
    const tag = `${root.descriptor.digest.replace(':', '-')}.sig`
    const signatures = `docker://${registry.host}/acme/wan:${tag}`
    const copied = await skopeo('copy', '--src-tls-verify=false', signatures, `dir:${file('signatures')}`)
    expect(copied).toMatchObject({ exitCode: 0 })
    const manifest = await skopeo('inspect', '--raw', '--tls-verify=false', signatures)
    const [layer] = JSON.parse(manifest.stdout).layers
    const signature = Buffer.from(layer.annotations['dev.cosignproject.cosign/signature'], 'base64')
    await writeFile(file('signature'), signature)
    const verify = ['dgst', '-sha256', '-verify', file('signing.pub'), '-signature', file('signature')]
    const { stdout } = await execa('openssl', [...verify, file('signatures', hexOf(layer.digest))])
    expect(stdout).toBe('Verified OK')
  })

  it('has its bill of materials listed by tag, for this registry has no list of referrers', async () => {
    const { images } = await readLayoutContent(layoutDirectory)
    for (const { descriptor } of images) {
      const tag = descriptor.digest.replace(':', '-')
      const list = await skopeo(
        'inspect',
        '--raw',
        '--tls-verify=false',
        `docker://${registry.host}/acme/wan:${tag}`,
      )
      expect(
        JSON.parse(list.stdout).manifests.map((one: { artifactType: string }) => one.artifactType),
      ).toEqual(['application/spdx+json', 'application/vnd.dev.cosign.artifact.sig.v1+json'])
    }
  })

  it('pushed once more is a few HEAD requests, and no blob', async () => {
    await registry.takeRequests()
    const again = await push(`${registry.host}/acme/wan`, layoutDirectory, '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ uploaded: 0, manifests: 0, tagMoved: false })
    const requests = await registry.takeRequests()
    expect(requests.filter((request) => !request.startsWith('HEAD /v2/acme/wan/manifests/'))).toEqual([])
    expect(requests.length).toBeLessThan(6)
  })

  it('pushed under another name has its layers lent, and sends none', async () => {
    await registry.takeRequests()
    const lent = await push(`${registry.host}/other/wan:2`, layoutDirectory, '--json')
    expect(JSON.parse(lent.stdout)).toMatchObject({ uploaded: 0, uploadedBytes: 0, tagMoved: true })
    expect((await registry.takeRequests()).filter((one) => /^(PATCH|PUT .*blobs)/.test(one))).toEqual([])
  })

  it('is planned for an install by digest, by a signed tag, and not by a tag that nobody vouches for', async () => {
    const { root, tag } = await readLayoutContent(layoutDirectory)
    const reference = `${registry.host}/acme/wan`
    const ports = ['--set', 'dns.port=127.0.0.1:24353', '--set', 'optimiser.port=127.0.0.1:24328']
    const plan = (word: string, ...more: string[]) =>
      slipway(
        ['-C', productDirectory, 'plan', word, '--name', name, '--profile', 'branch', ...ports, ...more],
        { env },
      )
    expect(await plan(`${reference}@${root.descriptor.digest}`)).toMatchObject({ exitCode: 0 })
    const signed = await plan(`${reference}:${tag}`, '--key', file('signing.pub'))
    expect(signed).toMatchObject({ exitCode: 0 })
    expect(signed.stderr).toContain(`${reference}:${tag} is ${root.descriptor.digest}: signed by sha256:`)
    const unvouched = await plan(`${reference}:${tag}`)
    expect({ exitCode: unvouched.exitCode, stderr: unvouched.stderr }).toEqual({
      exitCode: 2,
      stderr: `slipway: ${reference}:${tag} names no digest, and without a key (--key FILE, SLIPWAY_KEY, or keys in appliance.yaml) nothing tells whether it is the partner's; give one of them, or --allow-unsigned where nobody signed it.`,
    })
    const unsigned = await plan(`${registry.host}/other/wan:2`, '--allow-unsigned')
    expect(unsigned).toMatchObject({ exitCode: 0 })
    expect(unsigned.stderr).toContain(
      `${registry.host}/other/wan:2 is ${root.descriptor.digest}: IT IS NOT SIGNED, nobody can tell who made it. It is taken because of --allow-unsigned.`,
    )
    await slipway(['key', '--type', 'p256', '--out', 'other'], { cwd: scratch.path })
    const other = await plan(`${reference}:${tag}`, '--key', file('other.pub'), '--allow-unsigned')
    expect(other).toMatchObject({ exitCode: 2 })
    expect(other.stderr).toContain('is refused: it is signed, but not by the key to check with, sha256:')
  })
})

describe('an image from a registry', () => {
  const layoutOf = async (folder: string, text: string) => {
    const base = { ...(await busyboxLayer()), 'etc/run': `${name}\n` }
    return writePushableLayout(file(folder), [base, { 'etc/text': text }])
  }
  const pull = (digest: string, folder: string) => {
    const session = new RegistrySession(parseReference(`${registry.host}/${name}@${digest}`), { env })
    return openRegistryImage(session, {
      platform: 'linux/amd64',
      folder: file(folder),
      report: silent,
    })
  }

  it('is pulled and loaded by layers that the Engine lacks', async () => {
    const engine = await connectEngine()
    const [one, two] = [await layoutOf('one', 'one'), await layoutOf('two', 'two')]
    for (const folder of ['one', 'two']) {
      expect(await push(`${registry.host}/${name}:${folder}`, file(folder))).toMatchObject({ exitCode: 0 })
    }
    const first = await loadImage(engine, await pull(one.index.digest, 'pulled-one'), [`${name}:one`], silent)
    expect(first).toMatchObject({ id: one.config.digest, shared: 0 })
    await registry.takeRequests()
    const second = await loadImage(
      engine,
      await pull(two.index.digest, 'pulled-two'),
      [`${name}:two`],
      silent,
    )
    const small = two.layers[1]!
    expect(second).toEqual({ id: two.config.digest, shared: 1, sent: small.size })
    const layers = (await registry.takeRequests()).filter((one) => one.includes(two.layers[0]!.digest))
    expect(layers).toEqual([])
    // What the Engine has is kept no second time.
    expect([await readdir(file('pulled-one')), await readdir(file('pulled-two'))]).toEqual([[], []])
  })
})

describe('a line that is cut', () => {
  let relay: Server
  const sockets = new Set<Socket>()
  /** Bytes that pass before the line is cut; none left: nothing is cut any more. */
  let cuts: number[] = []

  beforeAll(async () => {
    const [host, port] = registry.host.split(':')
    relay = createServer((client) => {
      const upstream = connect(Number(port), host)
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => [client, upstream].map((one) => one.destroy()))
      }
      let passed = 0
      client.on('data', (chunk) => {
        passed += chunk.length
        if (cuts.length > 0 && passed > cuts[0]!) {
          cuts.shift()
          client.destroy()
        }
      })
      client.pipe(upstream).pipe(client)
    })
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    relay.close()
  })

  it('in the middle of an upload costs time alone', async () => {
    const { layers } = await writePushableLayout(file('large'), [{ 'var/large': noise(20_000_000) }])
    cuts = [3_000_000, 12_000_000]
    const { port } = relay.address() as { port: number }
    const pushed = await push(`127.0.0.1:${port}/acme/large`, file('large'), '--json')
    expect(pushed).toMatchObject({ exitCode: 0 })
    expect(pushed.durationMs).toBeLessThan(30_000) // no timer of a cut request keeps the program waiting
    expect(cuts).toEqual([])
    const blob = await fetch(`http://${registry.host}/v2/acme/large/blobs/${layers[0]!.digest}`)
    expect((await blob.arrayBuffer()).byteLength).toBe(layers[0]!.size)
  })
})
