import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLayoutContent } from '../../src/bundle/registry/layout-content.ts'
import { type Digest, hexOf } from '../../src/lib/digest.ts'
import { DebianRegistry } from '../support/debian-registry.ts'
import { PrivateEngine } from '../support/private-engine.ts'
import { RegistryRelay } from '../support/registry-relay.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository, slipway } from '../support/slipway.ts'
import { type TinyProduct, writeTinyProduct } from '../support/tiny-services.ts'
import { until } from '../support/until.ts'

/** `slipway install REGISTRY/REPOSITORY@sha256:…` on a host whose Engine holds nothing at first. */
const name = 'pulled-wan'
const releases = ['1.0.0', '2.0.0'] as const
type Version = (typeof releases)[number]

interface Release extends TinyProduct {
  /** What `install` is given. */
  readonly word: string
  readonly image: string
  /** Digests: its lower layer, which both have, and its own. */
  readonly layers: readonly Digest[]
}

let scratch: Scratch
let own: PrivateEngine
let registry: DebianRegistry
let relay: RegistryRelay
let env: NodeJS.ProcessEnv
const published = new Map<Version, Release>()

beforeAll(async () => {
  scratch = await makeScratch('registry-install')
  const started = [PrivateEngine.start(2 ** 30), DebianRegistry.start(file('registry'))] as const
  ;[own, registry] = await Promise.all(started)
  relay = await RegistryRelay.start(registry.host)
  env = {
    DOCKER_HOST: own.engine.endpoint.address,
    SLIPWAY_CACHE: file('cache'),
    DOCKER_CONFIG: file('docker'),
  }
  await slipway(['key', '--out', 'signing'], { cwd: scratch.path })
  for (const version of releases) published.set(version, await publish(version))
})
afterAll(async () => {
  relay?.close()
  await registry?.stop()
  await own?.stop()
  await scratch.remove()
})

const file = (...parts: string[]): string => path.join(scratch.path, ...parts)

async function publish(version: Version): Promise<Release> {
  const product = await writeTinyProduct(scratch.path, { name, version, services })
  const repositoryName = `${relay.host}/acme/wan`
  const pushed = await slipway(
    ['push', `${repositoryName}:${version}`, product.layout, '--key', file('signing.key')],
    { env },
  )
  expect(pushed).toMatchObject({ exitCode: 0 })
  const { root, images } = await readLayoutContent(product.layout)
  const [config, ...layers] = images[0]!.blobs.map(({ digest }) => digest)
  return { ...product, word: `${repositoryName}@${root.descriptor.digest}`, image: config!, layers }
}

const words = (version: Version, ...more: string[]): string[] => {
  const { directory, word } = published.get(version)!
  return ['-C', directory, 'install', word, '--key', file('signing.pub'), ...more]
}

async function install(version: Version, ...more: string[]) {
  relay.takeRequests()
  const { exitCode, stderr } = await slipway(words(version, ...more), { env })
  const requests = relay.takeRequests()
  const shown = exitCode === 0 ? '' : stderr
  return { exitCode, stderr: shown, requests: requests.length, layers: layersOf(requests) }
}

/**
 * An install that went well and asked for these layers; and once each, as any does, for the index, the signature and its
 * payload, the image's manifest and configuration.
 */
const done = (...layers: readonly string[]) => ({
  exitCode: 0,
  stderr: '',
  requests: 5 + layers.length,
  layers,
})

/** Layers that the registry was asked for: "lower", "upper of 1.0.0", and whether for what was left of it. */
function layersOf(requests: readonly string[]): string[] {
  const names = new Map<string, string>()
  for (const [version, { layers }] of published)
    for (const [index, digest] of layers.entries())
      names.set(digest, index === 0 ? 'lower' : `upper of ${version}`)
  return requests
    .flatMap((request) => {
      const [, digest = '', range] = /^GET \S+\/blobs\/(\S+)(?: bytes=(\d+)-)?/.exec(request) ?? []
      const layer = names.get(digest)
      return layer ? [range ? `${layer}, the rest` : layer] : []
    })
    .sort()
}

/** How much of each layer of 1.0.0 the cache holds. */
async function cached(): Promise<string[]> {
  const { layers } = published.get('1.0.0')!
  const names = await readdir(file('cache', 'blobs')).catch(() => [])
  return Promise.all(
    layers.map(async (digest) => {
      const found = names.find((one) => one.startsWith(hexOf(digest)))
      if (!found) return 'nothing'
      if (found === hexOf(digest)) return 'whole'
      const { size } = await stat(file('cache', 'blobs', found)).catch(() => ({ size: 0 }))
      return size > 0 ? 'part' : 'nothing'
    }),
  )
}

async function onHost() {
  const { images, containers, volumes } = own.engine
  const [allImages, allContainers, allVolumes] = await Promise.all([
    images.list(),
    containers.list(),
    volumes.list(),
  ])
  return {
    images: allImages
      .filter(({ tags }) => !tags.some((tag) => tag.startsWith('slipway-helper')))
      .map(({ id, tags }) => `${tags.join(' ')} ${id}`)
      .sort(),
    containers: allContainers.map((one) => `${one.name} ${one.state}`).sort(),
    volumes: allVolumes.map(({ Name }) => Name),
    waiting: await readdir(file('cache', 'blobs')).catch(() => []),
  }
}

/** What an install leaves, where images of these releases were brought. */
const installed = (...versions: readonly Version[]) => ({
  images: versions.map((version) => `${name}:${version} ${published.get(version)!.image}`),
  containers: [`${name}-only-1 running`, `${name}-state created`],
  volumes: [`${name}_state`],
  waiting: [],
})

describe('an install from a registry on an Engine that holds nothing', () => {
  it('is shown by --dry-run, for which no layer travels', async () => {
    expect(await install('1.0.0', '--dry-run')).toEqual(done())
    expect(await onHost()).toEqual({ images: [], containers: [], volumes: [], waiting: [] })
  })

  it('killed while layers come has touched nothing, and the same line finishes it with the rest of them', async () => {
    relay.hold = 500_000
    const program = path.join(repository, 'dist', 'program', 'main.js')
    const child = spawn(process.execPath, [program, ...words('1.0.0')], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    })
    await until(
      'one layer whole and of the other a part',
      async () => (await cached()).join() === 'part,whole' || undefined,
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await onHost()).toMatchObject({ images: [], containers: [`${name}-mutex created`], volumes: [] })
    relay.hold = Number.POSITIVE_INFINITY
    expect(await install('1.0.0')).toEqual(done('lower, the rest'))
    expect(await onHost()).toEqual(installed('1.0.0'))
  })

  it('changes nothing the second time, and brings nothing', async () => {
    expect(await install('1.0.0')).toEqual(done())
    expect(await onHost()).toEqual(installed('1.0.0'))
  })

  it('of the next release brings only the layers that differ', async () => {
    expect(await install('2.0.0')).toEqual(done('upper of 2.0.0'))
    expect(await onHost()).toEqual(installed('1.0.0', '2.0.0'))
  })
})

describe('a release that the product directory is not of', () => {
  it('is refused with where to go', async () => {
    const { directory } = published.get('2.0.0')!
    const { word } = published.get('1.0.0')!
    const { exitCode, stderr } = await slipway(['-C', directory, 'plan', word], { env })
    expect({ exitCode, last: stderr.split('\n').at(-1) }).toEqual({
      exitCode: 2,
      last: `slipway: ${word} holds ${name} 1.0.0, and the definition is ${name} 2.0.0; go to the product directory of ${name} 1.0.0, or name the digest of ${name} 2.0.0.`,
    })
  })
})

const services = `
  only:
    image: tiny
    init: true
    stop_grace_period: 1s
    command: ["/bin/busybox", "sleep", "100000"]
    healthcheck: { test: ["CMD", "/bin/busybox", "true"], interval: 100ms, timeout: 5s, retries: 2 }
`
