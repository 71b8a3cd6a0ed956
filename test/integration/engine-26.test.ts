import { copyFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadImage } from '../../src/engine/load-image.ts'
import { tarOfFile } from '../../src/host/small-file.ts'
import type { HostStatus } from '../../src/host/status.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { silent } from '../../src/lib/progress.ts'
import { builtImage } from '../support/built-image.ts'
import { type InnerEngine, startEngine26 } from '../support/inner-engine.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { TinyAppliance } from '../support/tiny-appliance.ts'
import { busyboxLayer, writeTinyLayout } from '../support/tiny-layout.ts'
import { makeTlsFiles, type TlsFiles } from '../support/tls-files.ts'

const name = 'slipway-on-26'
const { layoutDirectory, productDirectory } = builtImage()
const settings = ['--profile', 'branch', '--set', 'dns.port=2053', '--set', 'optimiser.port=2128']

let scratch: Scratch
let tls: TlsFiles
let inner: InnerEngine

beforeAll(async () => {
  scratch = await makeScratch('engine-26-tls')
  tls = await makeTlsFiles(scratch.path)
  inner = await startEngine26({
    daemon: { features: { 'containerd-snapshotter': true } },
    files: tls.server,
    env: { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: tls.client },
  })
})

afterAll(async () => {
  await inner?.remove()
  await scratch.remove()
})

const run = (...parameters: string[]) => slipway(['-C', productDirectory, ...parameters], { env: inner.env })

describe('Engine 26.1 with containerd’s image store, behind TLS, in a container that Slipway built', () => {
  it('is spoken to in an API version that both know', async () => {
    expect(inner.engine.version).toMatchObject({ engine: expect.stringMatching(/^26\.1\./), api: '1.45' })
    expect((await inner.engine.info()).containerdStore).toBe(true)
  })

  it('that refuses our certificate, or gets none, is told in one sentence', async () => {
    const folder = path.join(scratch.path, 'wrong')
    await mkdir(folder)
    await copyFile(path.join(tls.client, 'ca.pem'), path.join(folder, 'ca.pem'))
    for (const files of [[], ['cert.pem', 'key.pem']]) {
      for (const file of files) await copyFile(path.join(tls.stranger, file), path.join(folder, file))
      const { exitCode, stderr } = await slipway(['status', '--name', name], {
        env: { ...inner.env, DOCKER_CERT_PATH: folder },
      })
      expect({ exitCode, stderr: stderr.replace(/\([A-Z_0-9]+\)/, '(…)') }).toEqual({
        exitCode: 3,
        stderr: `slipway: The Docker Engine at ${inner.env.DOCKER_HOST} (from DOCKER_HOST) and this machine do not trust each other (…): check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH.`,
      })
    }
  })

  it('takes the appliance under its manifest’s digest, and a second install changes nothing', async () => {
    const first = await run('install', layoutDirectory, '--name', name, ...settings)
    expect(first).toMatchObject({ exitCode: 0 })
    const { manifest } = await readLayout(layoutDirectory, 'linux/amd64')
    const container = await inner.engine.containers.inspect(`${name}-dns-1`)
    expect(container?.Image).toBe(manifest.digest)
    const second = await run('plan', layoutDirectory, '--name', name, ...settings, '--json')
    expect(JSON.parse(second.stdout)).toMatchObject({ changes: [], steps: [] })
  })

  it('tells the state of its services', async () => {
    const { stdout, exitCode } = await run('status', '--name', name, '--json')
    const { services } = JSON.parse(stdout) as HostStatus
    expect({
      exitCode,
      services: services.map(({ service, state, health }) => [service, state, health]),
    }).toEqual({
      exitCode: 0,
      services: [
        ['dns', 'running', 'healthy'],
        ['optimiser', 'running', 'healthy'],
      ],
    })
  })

  it('finds what changed in a container, and puts it back', async () => {
    const { containers } = inner.engine
    const damaged = tarOfFile('squid.conf', 'damaged')
    await containers.putArchive(`${name}-optimiser-1`, '/etc/appliance', damaged)
    const drifted = await run('drift', '--name', name, '--json')
    expect(drifted.exitCode).toBe(1)
    expect(drifted.stdout).toContain('"/etc/appliance/squid.conf"')
    expect(await run('restore-file', '/etc/appliance/squid.conf', '--name', name)).toMatchObject({
      exitCode: 0,
    })
    expect((await run('drift', '--name', name)).exitCode).toBe(0)
  })

  it('takes an image by the layers that it lacks, and the whole where its layers are not what they seemed', async () => {
    const layoutOf = async (base: string, top: string) => {
      const folder = path.join(scratch.path, `${base}-${top}`)
      await writeTinyLayout(folder, [{ ...(await busyboxLayer()), 'etc/base': base }, { 'etc/top': top }])
      return readLayout(folder, 'linux/amd64')
    }
    const [one, two, other] = [await layoutOf('a', '1'), await layoutOf('a', '2'), await layoutOf('b', '3')]
    expect(await loadImage(inner.engine, one, ['tiny-26:1'], silent)).toMatchObject({ shared: 0 })
    expect(await loadImage(inner.engine, two, ['tiny-26:2'], silent)).toEqual({
      id: two.manifest.digest,
      sent: two.layers[1]!.size,
      shared: 1,
    })
    const { images } = inner.engine
    const lying = {
      ...inner.engine,
      images: {
        ...images,
        list: async () => [{ id: 'all', tags: [], labels: {}, size: 0 }],
        inspect: async (reference: string) => {
          const layers = other.layers.slice(0, 1).map(({ diffId }) => diffId)
          const seeming = { id: 'all', tags: [], labels: {}, size: 0, architecture: 'amd64', os: 'linux' }
          return reference === 'all' ? { ...seeming, layers } : images.inspect(reference)
        },
      },
    }
    expect(await loadImage(lying, other, ['tiny-26:3'], silent)).toMatchObject({
      id: other.manifest.digest,
      shared: 0,
    })
    const labels = { 'io.slipway.test': name }
    const id = await inner.engine.containers.create('tiny', {
      Image: 'tiny-26:3',
      Labels: labels,
      HostConfig: {},
    })
    await inner.engine.containers.remove(id)
  })

  it('gives the former image of a release its name back when another one of the same name does not come up', async () => {
    const tiny = `${name}-tiny`
    const images = await Promise.all(
      ['one', 'two'].map(async (text) => {
        const folder = path.join(scratch.path, text)
        await writeTinyLayout(folder, [await busyboxLayer(), { 'etc/text': text }])
        return readLayout(folder, 'linux/amd64')
      }),
    )
    const [former, next] = images.map((image) => new TinyAppliance(inner.engine, image, tiny)) as [
      TinyAppliance,
      TinyAppliance,
    ]
    const tags = async () =>
      (await inner.engine.images.list())
        .filter((one) => one.tags.some((tag) => tag.startsWith(tiny)))
        .map((one) => [one.id, one.tags])
    try {
      await former.reach(former.target())
      const before = await tags()
      const failed = await next.reach(next.target({ check: ['false'] })).catch((error: unknown) => error)
      expect(failed).toMatchObject({
        code: 'not-healthy',
        exitCode: 5,
        message: expect.stringContaining('The former containers serve again; nothing else was changed.'),
      })
      expect(await tags()).toEqual(before)
      expect(await former.plan(former.target())).toEqual([])
      await next.reach(next.target())
      expect(await tags()).toEqual([[images[1]!.manifest.digest, [former.reference]]])
    } finally {
      await former.remove()
    }
  })

  it('has the appliance again after a crash of its own', async () => {
    await inner.restart()
    const again = await run('install', layoutDirectory, '--name', name, ...settings)
    expect(again).toMatchObject({ exitCode: 0 })
    expect((await run('status', '--name', name)).exitCode).toBe(0)
  })

  it('gives everything back', async () => {
    expect(await run('uninstall', '--name', name, '--yes')).toMatchObject({ exitCode: 0 })
    const { containers, volumes, networks } = inner.engine
    const left = [await containers.list(), await volumes.list(), await networks.list()].flat()
    expect(left.filter((one) => ('name' in one ? one.name : one.Name).startsWith(name))).toEqual([])
  })
})
