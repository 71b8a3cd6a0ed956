import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { remainder, scriptDigest } from '../../src/debian/script.ts'
import { loadDefinition } from '../../src/definition/load.ts'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { loadImage } from '../../src/engine/load-image.ts'
import { openImage } from '../../src/image/image-files.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { silent } from '../../src/lib/progress.ts'
import { builtImage } from '../support/built-image.ts'
import { emulateArm64, emulatesArm64 } from '../support/emulation.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository, slipway } from '../support/slipway.ts'
import { makeDeb } from '../support/tiny-deb.ts'
import { until } from '../support/until.ts'

/** The other platform of the reference, on a machine that has to emulate it. */
const name = `slipway-arm64-${process.pid}`
const reference = `${name}:test`
const { layoutDirectory, productDirectory, cacheDirectory } = builtImage()
const signal = new AbortController().signal
const everybody = 'ALLOWED_NETWORKS=0.0.0.0/0 ::/0'
let scratch: Scratch
let engine: Engine
let refusal: string | undefined
let stopEmulating = async (): Promise<void> => {}

const postinst = `#!/bin/sh
set -e
uname -m >/etc/acme-machine
install -d -o www-data -m 0750 /var/lib/acme
`
const files = {
  'appliance.yaml': `name: arm64-agent
version: 1.0.0
debian:
  suite: trixie
  keyrings: [images/keyrings/debian-13.asc, images/keyrings/debian-12.asc]
platforms: [linux/arm64]
layers: [base, agent, brand]
brand: { vendor: Acme, product: Acme Agent, command: arm64-agent, support: nobody }
`,
  'compose/appliance.yaml': 'services:\n  agent:\n    image: arm64-agent:1.0.0\n',
  'profiles/site.yaml': 'description: A site\n',
  'images/base/component.yaml': 'essential: true\n',
  'images/agent/component.yaml': 'sources:\n  - deb: acme-agent_1.2_all.deb\n',
  'images/recipes/acme-agent.yaml': `package: acme-agent
scripts:
  - script: postinst
    read: "1.2"
    sha256: [${scriptDigest(remainder(postinst))}]
    does: writes down the machine and makes a folder
    run: true
`,
}

const build = () =>
  slipway(['build', '--out', path.join(scratch.path, 'out')], {
    cwd: path.join(scratch.path, 'product'),
    env: { SLIPWAY_CACHE: cacheDirectory },
  })

beforeAll(async () => {
  scratch = await makeScratch('arm64')
  engine = await connectEngine()
  for (const [file, text] of Object.entries(files)) await put(file, text)
  for (const key of ['debian-13.asc', 'debian-12.asc'])
    await put(
      `images/keyrings/${key}`,
      await readFile(path.join(productDirectory, 'images', 'keyrings', key)),
    )
  await put(
    'images/agent/acme-agent_1.2_all.deb',
    await makeDeb({ name: 'acme-agent', version: '1.2', control: { postinst } }),
  )
  const locked = await slipway(['lock'], {
    cwd: path.join(scratch.path, 'product'),
    env: { SLIPWAY_CACHE: cacheDirectory },
  })
  expect(locked.exitCode, locked.stderr).toBe(0)
  if (await emulatesArm64()) return
  refusal = (await build()).stderr.split('\n').at(-1)
  const { debian } = await loadDefinition(repository)
  stopEmulating = await emulateArm64(scratch.path, debian)
})
afterAll(async () => {
  for (const one of await engine.containers.list())
    if (one.name.startsWith(name)) await engine.containers.remove(one.id)
  if (await engine.images.inspect(reference)) await engine.images.remove(reference)
  await stopEmulating()
  await scratch.remove()
})

async function put(name: string, content: string | Uint8Array): Promise<void> {
  const file = path.join(scratch.path, 'product', ...name.split('/'))
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content)
}

describe('a script that must run for arm64', () => {
  it('is refused by an Engine whose host runs no such programs, and nothing is left on it', async (context) => {
    if (refusal === undefined) return context.skip('this host emulates arm64 already')
    expect(refusal).toBe(
      `slipway: To run the postinst of acme-agent 1.2, the build needs an Engine whose host runs programs of arm64, and the one at ${engine.endpoint.address} is of amd64 and emulates none: install qemu-user-static there, name another with DOCKER_HOST, or build other platforms here: slipway build --platform linux/amd64`,
    )
    const left = (await engine.containers.list()).filter(({ name }) => name.startsWith('slipway-build'))
    expect(left).toEqual([])
  })

  it('runs where the host emulates them', async () => {
    const { exitCode, stderr } = await build()
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
    const image = await readLayout(path.join(scratch.path, 'out'), 'linux/arm64')
    const { files } = await openImage(image)
    const folder = files.get('var/lib/acme')
    expect([String(Buffer.from(files.get('etc/acme-machine')!.content!)), folder?.mode, folder?.uid]).toEqual(
      ['aarch64\n', 0o750, 33],
    )
    expect([...files.keys()].filter((name) => name.includes('qemu'))).toEqual([])
  }, 120_000)
})

describe('the reference appliance for arm64', () => {
  const start = async (service: string, spec: { User?: string; CapAdd: string[]; Tmpfs: string }) => {
    const container = await engine.containers.create(
      `${name}-${service}`,
      {
        Image: reference,
        Cmd: [`/usr/lib/appliance/${service}-start`],
        Env: [everybody],
        Labels: {},
        ...(spec.User && { User: spec.User }),
        HostConfig: {
          NetworkMode: 'none',
          Init: true,
          CapDrop: ['ALL'],
          CapAdd: spec.CapAdd,
          SecurityOpt: ['no-new-privileges:true'],
          Tmpfs: { '/run': spec.Tmpfs, '/tmp': 'mode=1777' },
        },
      },
      'linux/arm64',
    )
    await engine.containers.start(container)
    return until(
      `${service} is healthy`,
      async () => {
        const health = [`/usr/lib/appliance/${service}-health`]
        const { exitCode, stdout } = await engine.containers.exec(container, health)
        return exitCode === 0 ? stdout : undefined
      },
      60_000,
    )
  }

  beforeAll(async () => {
    const image = await readLayout(layoutDirectory, 'linux/arm64')
    await loadImage(engine, image, [reference], silent, signal)
  })

  it('serves: both services answer their own health checks', async () => {
    const [dns, optimiser] = await Promise.all([
      start('dns', {
        CapAdd: ['KILL', 'NET_ADMIN', 'NET_BIND_SERVICE', 'SETGID', 'SETUID'],
        Tmpfs: 'mode=0755',
      }),
      start('optimiser', { User: 'proxy', CapAdd: [], Tmpfs: 'mode=0755,uid=13,gid=13' }),
    ])
    expect([dns, optimiser]).toEqual([
      'dnsmasq answers; cache up to 0 of 5000 names\n',
      expect.stringMatching(/^Squid answers; cache 0 of \d+ bytes\n$/),
    ])
  }, 120_000)

  it('is what dpkg says it is', async () => {
    const ask = (command: string) =>
      engine.containers.exec(`${name}-optimiser`, ['sh', '-c', command], { user: '0' })
    const told = await ask('dpkg --print-architecture; uname -m; dpkg --audit; dpkg -V')
    expect(told).toEqual({ exitCode: 0, stdout: 'arm64\naarch64\n', stderr: '' })
  }, 120_000)
})
