import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLayoutContent } from '../../src/bundle/registry/layout-content.ts'
import { loadDefinition } from '../../src/definition/load.ts'
import { builtImage } from '../support/built-image.ts'
import { DebianRegistry } from '../support/debian-registry.ts'
import { openPrivateApt } from '../support/private-apt.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository, slipway } from '../support/slipway.ts'

const { layoutDirectory, productDirectory } = builtImage()
const site = [
  '--profile',
  'branch',
  '--set',
  'dns.port=127.0.0.1:25353',
  '--set',
  'optimiser.port=127.0.0.1:25328',
]
let scratch: Scratch
let registry: DebianRegistry
let digest: string

beforeAll(async () => {
  scratch = await makeScratch('cosign')
  registry = await DebianRegistry.start(file('registry'))
  digest = (await readLayoutContent(layoutDirectory)).root.descriptor.digest
  await mkdir(file('tools'))
  const { debian } = await loadDefinition(repository)
  const apt = await openPrivateApt(file('apt'), 'amd64', debian)
  for (const name of ['cosign', 'oras']) await apt.unpack(name, file('tools'))
})
afterAll(async () => {
  await registry?.stop()
  await scratch.remove()
})

const file = (...parts: string[]) => path.join(scratch.path, ...parts)
const run = (...words: string[]) =>
  slipway(words, {
    cwd: scratch.path,
    env: { SLIPWAY_CACHE: file('cache'), DOCKER_CONFIG: scratch.path },
  })
const tool = (name: string, ...words: string[]) =>
  execa(file('tools', 'usr', 'bin', name), words, {
    cwd: scratch.path,
    env: { HOME: scratch.path, COSIGN_PASSWORD: '' },
    reject: false,
  })
/** Without the public log of signatures, which is on the internet; over plain http. */
const verify = (key: string, reference: string) =>
  tool(
    'cosign',
    ...['verify', '--key', key, '--insecure-ignore-tlog=true', '--allow-http-registry'],
    reference,
  )

describe('an image that slipway push signed', () => {
  it.each(['p256', 'ed25519'])(
    'with a key of type %s is verified by cosign, by that key alone',
    async (type) => {
      const reference = `${registry.host}/acme/${type}`
      await run('key', '--type', type, '--out', type)
      await run('key', '--type', type, '--out', `other-${type}`)
      expect(await run('push', `${reference}:1`, layoutDirectory, '--key', `${type}.key`)).toMatchObject({
        exitCode: 0,
      })
      const good = await verify(`${type}.pub`, `${reference}:1`)
      expect({ exitCode: good.exitCode, said: good.stderr }).toMatchObject({ exitCode: 0 })
      expect(JSON.parse(good.stdout)).toEqual([
        {
          critical: {
            identity: { 'docker-reference': reference },
            image: { 'docker-manifest-digest': digest },
            type: 'cosign container image signature',
          },
          optional: null,
        },
      ])
      expect((await verify(`other-${type}.pub`, `${reference}:1`)).exitCode).not.toBe(0)
    },
  )

  it('has its bill of materials and its signature discovered by oras', async () => {
    const { images } = await readLayoutContent(layoutDirectory)
    for (const { descriptor } of images) {
      const { stdout } = await tool(
        'oras',
        ...[
          'discover',
          '--plain-http',
          '--format',
          'json',
          `${registry.host}/acme/p256@${descriptor.digest}`,
        ],
      )
      const { manifests } = JSON.parse(stdout) as { manifests: { artifactType: string }[] }
      expect(manifests.map(({ artifactType }) => artifactType).sort()).toEqual([
        'application/spdx+json',
        'application/vnd.dev.cosign.artifact.sig.v1+json',
      ])
    }
  })
})

describe('an image that cosign signed', () => {
  it('is planned for an install by cosign’s key, and refused by another', async () => {
    const reference = `${registry.host}/acme/theirs`
    await run('push', `${reference}:1`, layoutDirectory)
    await tool('cosign', 'generate-key-pair')
    const signed = await tool(
      'cosign',
      ...['sign', '--yes', '--key', 'cosign.key', '--tlog-upload=false', '--allow-http-registry'],
      `${reference}@${digest}`,
    )
    expect(signed).toMatchObject({ exitCode: 0 })
    const plan = (key: string) =>
      run(
        '-C',
        productDirectory,
        'plan',
        `${reference}:1`,
        '--name',
        'slipway-cosign',
        '--key',
        file(key),
        ...site,
      )
    expect(await plan('cosign.pub')).toMatchObject({ exitCode: 0 })
    const refused = await plan('p256.pub')
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('is signed, but not by the key'),
    ])
  })
})
