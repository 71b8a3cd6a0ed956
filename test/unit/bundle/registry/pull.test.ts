import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keyId } from '../../../../src/bundle/key.ts'
import { readLayoutContent } from '../../../../src/bundle/registry/layout-content.ts'
import { planPush } from '../../../../src/bundle/registry/plan-push.ts'
import { openRegistryImage, type RegistryImage } from '../../../../src/bundle/registry/pull.ts'
import { pushLayout } from '../../../../src/bundle/registry/push.ts'
import { parseReference } from '../../../../src/bundle/registry/reference.ts'
import { RegistrySession } from '../../../../src/bundle/registry/session.ts'
import type { Trust } from '../../../../src/bundle/signature-check.ts'
import type { Manifest } from '../../../../src/image/oci.ts'
import { hexOf } from '../../../../src/lib/digest.ts'
import type { Platform } from '../../../../src/lib/platform.ts'
import { silent } from '../../../../src/lib/progress.ts'
import { caughtLater } from '../../../support/caught.ts'
import { FakeRegistry } from '../../../support/fake-registry.ts'
import { noise, writePushableLayout } from '../../../support/pushable-layout.ts'
import { makeScratch, type Scratch } from '../../../support/scratch.ts'

let registry: FakeRegistry
let scratch: Scratch
let folder: string
let written: Awaited<ReturnType<typeof writePushableLayout>>

beforeEach(async () => {
  registry = await FakeRegistry.start()
  scratch = await makeScratch('pull')
  folder = path.join(scratch.path, 'blobs')
  written = await writePushableLayout(path.join(scratch.path, 'build'), [
    { 'var/large': noise(400_000) },
    { 'etc/two': 'two\n' },
  ])
  await push()
})
afterEach(async () => {
  await registry.close()
  await scratch.remove()
})

const session = (word: string) =>
  new RegistrySession(parseReference(`${registry.host}/acme/wan${word}`), {
    env: { DOCKER_CONFIG: scratch.path },
    backoff: 1,
    stallTimeout: 15_000,
  })

async function push(key?: KeyObject): Promise<void> {
  const content = await readLayoutContent(path.join(scratch.path, 'build'))
  const one = session('')
  const options = { key, known: new Map(), report: silent, signal: new AbortController().signal }
  await pushLayout(one, content, await planPush(one, content, '1.0.0', key), options)
}

interface Wishes extends Partial<Trust> {
  readonly platform?: Platform
}

function open(word = `@${written.index.digest}`, { platform = 'linux/amd64', ...trust }: Wishes = {}) {
  const { keys = [], allowUnsigned = false } = trust
  const wanted = keys.length > 0 || allowUnsigned ? { trust: { keys, allowUnsigned } } : {}
  return openRegistryImage(session(word), { platform, folder, report: silent, ...wanted })
}

async function bringAll(image: RegistryImage): Promise<string[]> {
  const blobs = [image.manifest, image.config, ...image.layers]
  await image.bring?.(blobs)
  for (const blob of blobs) {
    const chunks = await image.open(blob).toArray()
    expect(Buffer.concat(chunks)).toHaveLength(blob.size)
  }
  return readdir(folder)
}

/** The registry lets only one user in from now on, whom Docker's configuration knows. */
async function wantLogin(by: 'basic' | 'token'): Promise<void> {
  registry.account = { username: 'partner', password: 'secret', by }
  const auth = Buffer.from('partner:secret').toString('base64')
  const config = JSON.stringify({ auths: { [registry.host]: { auth } } })
  await writeFile(path.join(scratch.path, 'config.json'), config)
}

const failure = async (action: () => Promise<unknown>) => {
  const { code, message } = await caughtLater(action)
  return [code, message.replaceAll(registry.host, 'HOST').replace(/sha256:[0-9a-f]+/g, 'DIGEST')]
}

describe('an image of a registry', () => {
  it('is the same by tag, by the digest of its index, and by its own', async () => {
    const { manifest, config, layers } = written
    for (const word of [':1.0.0', `@${written.index.digest}`, `@${manifest.digest}`]) {
      const image = await open(word)
      expect(image).toMatchObject({ platform: 'linux/amd64', manifest, config, layers })
      expect(image.digest).toBe(word.includes(manifest.digest) ? manifest.digest : written.index.digest)
    }
  })

  it('brings blobs when they are asked for, and those of another time not again', async () => {
    const image = await open()
    expect(
      registry.requests.filter((one) => one.includes(written.layers[0]!.digest) && one.startsWith('GET')),
    ).toEqual([])
    const names = [written.manifest, written.config, ...written.layers]
      .map(({ digest }) => hexOf(digest))
      .sort()
    expect((await bringAll(image)).sort()).toEqual(names)
    registry.requests.length = 0
    await bringAll(image)
    expect(registry.requests).toEqual([])
    // One that went bad since is brought anew.
    await writeFile(path.join(folder, names[0]!), 'other')
    await bringAll(image)
    expect(registry.requests).toHaveLength(1)
  })

  it('leaves nothing in the cache once it is loaded', async () => {
    const image = await open()
    await bringAll(image)
    await image.discard?.()
    expect(await readdir(folder)).toEqual([])
    await image.discard?.()
  })

  it('is brought again where a run that shares the cache has thrown it away meanwhile', async () => {
    const [one, other] = [await open(), await open()]
    const blobs = [one.manifest, one.config, ...one.layers]
    await one.bring?.(blobs)
    await other.bring?.(blobs)
    await other.discard?.()
    for (const blob of blobs) {
      expect(Buffer.concat(await one.open(blob).toArray())).toHaveLength(blob.size)
    }
  })

  it('has what nobody came back for swept before it is brought', async () => {
    await mkdir(folder)
    const [old, recent] = ['a', 'b'].map((letter) => letter.repeat(64))
    for (const [name, days] of [
      [old, 31],
      [recent, 1],
    ] as const) {
      const date = new Date(Date.now() - days * 24 * 3600 * 1000)
      await writeFile(path.join(folder, name!), 'another image')
      await utimes(path.join(folder, name!), date, date)
    }
    const names = await bringAll(await open())
    expect([old, recent].map((name) => names.includes(name!))).toEqual([false, true])
  })

  it('is refused before the first byte where the cache’s disk has no room for it', async () => {
    const manifest = registry.manifest('acme/wan', written.manifest.digest) as Manifest
    const [layer, ...layers] = manifest.layers
    const huge = { ...manifest, layers: [{ ...layer, size: 2e15 }, ...layers] }
    const digest = registry.put('acme/wan', Buffer.from(JSON.stringify(huge)))
    const image = await open(`@${digest}`)
    registry.requests.length = 0
    const [code, message] = await failure(() => bringAll(image))
    expect([code, message!.replace(/has [\d.]+ \wB left/, 'has little left')]).toEqual([
      'disk-full',
      `What is to be pulled of HOST/acme/wan needs 2000 TB and the disk of ${folder} has little left; free some space, or set SLIPWAY_CACHE to a folder that has it, and run the same command again.`,
    ])
    expect(registry.requests).toEqual([])
  })

  it('is brought to its end where the line is cut, by asking for the rest', async () => {
    registry.misbehave(new RegExp(`GET .*${written.layers[0]!.digest}`), { half: 0.5 }, { status: 503 })
    await bringAll(await open())
  })

  it('that was cut for good goes on where it stopped, in the next run', async () => {
    const [layer] = written.layers
    registry.misbehave(new RegExp(`GET .*${layer!.digest}`), { half: 0.5 }, ...Array(3).fill({ status: 503 }))
    const [code, message] = await failure(async () => bringAll(await open()))
    expect(code).toBe('download-failed')
    expect(message).toMatch(/: it answers 503: .*, asked 4 times; ask who runs HOST, or try again later\.$/)
    const { size } = await stat(path.join(folder, `${hexOf(layer!.digest)}.partial`))
    await bringAll(await open())
    expect(registry.resumed).toEqual([size])
  })

  it('is asked for again where that may help: 429, 503, a token that has expired meanwhile', async () => {
    await wantLogin('token')
    const image = await open()
    registry.expireTokens()
    registry.misbehave(/GET .*blobs/, { status: 429, headers: { 'retry-after': '0' } }, { status: 503 })
    expect(await bringAll(image)).toHaveLength(4)
  })

  it('is fetched from where the registry sends to, without its password', async () => {
    await wantLogin('basic')
    const [layer] = written.layers
    const storage = await FakeRegistry.start()
    try {
      storage.putBlob('store', registry.blobs.get('acme/wan')!.get(layer!.digest)!)
      const location = `http://${storage.host}/v2/store/blobs/${layer!.digest}`
      registry.misbehave(new RegExp(`GET .*${layer!.digest}`), { status: 307, headers: { location } })
      await bringAll(await open())
      expect({ requests: storage.requests, logins: storage.logins }).toEqual({
        requests: [`GET store/blobs/${layer!.digest}`],
        logins: [undefined],
      })
    } finally {
      await storage.close()
    }
  })

  it('is not asked for with a password where the host that the registry sends to wants one', async () => {
    await wantLogin('basic')
    const storage = await FakeRegistry.start()
    try {
      storage.account = { username: 'partner', password: 'secret', by: 'token' }
      const location = `http://${storage.host}/v2/store/blobs/x`
      registry.misbehave(/GET .*blobs/, { status: 307, headers: { location } })
      expect((await failure(open))[0]).toBe('registry-denied')
      expect(storage.requests).toEqual(['GET store/blobs/x'])
    } finally {
      await storage.close()
    }
  })

  it.each([
    [
      'other bytes',
      (size: number) => noise(size + 16).subarray(16),
      'serves for the blob DIGEST has another SHA-256 than the manifest says',
    ],
    ['fewer bytes', (size: number) => noise(size - 1), /^.* has \d+ bytes where the manifest says \d+/],
    ['more bytes', (size: number) => noise(size + 1), /^.* has \d+ bytes where the manifest says \d+/],
  ])('is refused where %s are served for a layer', async (_, bytes, words) => {
    const [layer] = written.layers
    registry.misbehave(new RegExp(`GET .*${layer!.digest}`), { bytes: bytes(layer!.size) })
    const [code, message] = await failure(async () => bringAll(await open()))
    expect(code).toBe('wrong-hash')
    expect(message).toMatch(words)
    expect(message).toMatch(/so it is refused; ask who runs HOST, or try again later\.$/)
    expect(await readdir(folder)).not.toContain(hexOf(layer!.digest))
  })

  it('is given up at the first layer that cannot be had: the others stop', async () => {
    const [one, two] = written.layers
    registry.misbehave(new RegExp(`GET .*${one!.digest}`), 'silence')
    registry.misbehave(new RegExp(`GET .*${two!.digest}`), { status: 404 })
    const patient = new RegistrySession(parseReference(`${registry.host}/acme/wan:1.0.0`), {
      env: { DOCKER_CONFIG: scratch.path },
      signal: new AbortController().signal,
      stallTimeout: 60_000,
    })
    const image = await openRegistryImage(patient, { platform: 'linux/amd64', folder, report: silent })
    const began = Date.now()
    expect((await failure(async () => bringAll(image)))[0]).toBe('not-found')
    expect(Date.now() - began).toBeLessThan(30_000)
  })

  it('is refused by digest where another manifest is served', async () => {
    registry.misbehave(/GET .*manifests/, { bytes: Buffer.from('{}') })
    expect(await failure(open)).toEqual([
      'wrong-digest',
      'HOST serves other bytes (DIGEST) for acme/wan@DIGEST, so they are refused; ask who runs HOST.',
    ])
    registry.misbehave(new RegExp(`GET .*blobs/${written.config.digest}`), { bytes: Buffer.from('{}') })
    expect((await failure(open))[0]).toBe('wrong-digest')
  })

  it('is refused where a manifest is larger than any may be', async () => {
    registry.misbehave(/GET .*manifests/, { bytes: Buffer.alloc(5 * 2 ** 20, 32) })
    expect(await failure(open)).toEqual([
      'registry-failed',
      'HOST/acme/wan@DIGEST cannot be read, because of HOST/acme/wan: it sends more than the 4.19 MB such a file may have; run the same command again later.',
    ])
  })

  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['nothing', 'null', 'is neither an image nor an index of images'],
    [
      'an image and an index at once',
      '{"manifests":[],"layers":[],"config":{}}',
      'is neither an image nor an index of images',
    ],
    ['an index with layers', '{"manifests":[],"layers":[]}', 'is neither an image nor an index of images'],
    [
      'an index with a configuration',
      '{"manifests":[],"config":{}}',
      'is neither an image nor an index of images',
    ],
    [
      'a digest that leads elsewhere',
      '{"manifests":[{"digest":"sha256:../../x","size":1,"mediaType":"x"}]}',
      'names something by a digest or size that cannot be one',
    ],
    [
      'a size that is none',
      `{"layers":[],"config":{"digest":"sha256:${'0'.repeat(64)}","size":-1,"mediaType":"x"}}`,
      'names something by a digest or size that cannot be one',
    ],
  ])('is refused where its manifest holds %s', async (_, text, reason) => {
    registry.put('acme/wan', Buffer.from(text), 'bad')
    expect(await failure(() => open(':bad'))).toEqual([
      'bad-manifest',
      `HOST/acme/wan:bad ${reason}, so it is refused; push it again.`,
    ])
  })

  it('is refused before the first byte of a configuration that says it is larger than any may be', async () => {
    const config = { ...written.config, size: 4 * 2 ** 20 + 1 }
    registry.put('acme/wan', Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [] })), 'bad')
    registry.requests.length = 0
    expect(await failure(() => open(':bad'))).toEqual([
      'too-large',
      'The configuration of HOST/acme/wan:bad cannot be read: it says it is 4194305 bytes; none is so large.',
    ])
    expect(registry.requests).toEqual(['GET acme/wan/manifests/bad'])
  })

  it('is refused where its configuration has not a diff ID for each layer', async () => {
    const rootfs = { type: 'layers', diff_ids: [] }
    const bytes = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', config: {}, rootfs }))
    const config = { ...written.config, digest: registry.putBlob('acme/wan', bytes), size: bytes.length }
    const { mediaType, digest, size } = written.layers[0]!
    const manifest = { schemaVersion: 2, config, layers: [{ mediaType, digest, size }] }
    registry.put('acme/wan', Buffer.from(JSON.stringify(manifest)), 'bad')
    expect(await failure(() => open(':bad'))).toEqual([
      'bad-manifest',
      'HOST/acme/wan:bad has 1 layers and 0 diff IDs, so it is refused; push it again.',
    ])
  })

  it('is refused where it is not of the size that its index says', async () => {
    const { mediaType, digest, size } = written.manifest
    const platform = { os: 'linux', architecture: 'amd64' }
    const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size: size + 1, platform }] }
    registry.put('acme/wan', Buffer.from(JSON.stringify(index)), 'bad')
    expect(await failure(() => open(':bad'))).toEqual([
      'bad-manifest',
      'DIGEST is not the image that the index says, so it is refused; push it again.',
    ])
  })

  it('that is not there, or not for this platform, is told by name', async () => {
    expect(await failure(() => open(':2.0.0'))).toEqual([
      'not-found',
      'HOST does not have HOST/acme/wan:2.0.0; check the name, or push it first.',
    ])
    expect(await failure(() => open(undefined, { platform: 'linux/arm64' }))).toEqual([
      'no-platform',
      'HOST/acme/wan@DIGEST has no image for linux/arm64 (it has linux/amd64); build and push it for linux/arm64.',
    ])
    expect((await failure(() => open(`@${written.manifest.digest}`, { platform: 'linux/arm64' })))[0]).toBe(
      'no-platform',
    )
  })

  it('is not waited for in vain when a layer never comes', async () => {
    registry.misbehave(/GET .*blobs/, ...Array(20).fill('reset'))
    expect(await failure(open)).toEqual([
      'registry-failed',
      'The configuration of HOST/acme/wan@DIGEST cannot be read, because of HOST/acme/wan: the connection was cut, asked 4 times; run the same command again later.',
    ])
  })
})

describe('a signature', () => {
  const pair = (type: 'p256' | 'ed25519' = 'p256') =>
    type === 'p256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  const { privateKey, publicKey } = pair()
  const trusted = { keys: [publicKey] }
  const tagOf = (digest: string) => `${digest.replace(':', '-')}.sig`
  const anew = 'Nothing was loaded; its vendor signs it with slipway push --key FILE.'
  const others = [
    'other-key',
    `HOST/acme/wan@DIGEST is refused: it is signed, but not by the key to check with, DIGEST: others signed it, or the signature was altered. ${anew}`,
  ]

  /** What comes of an image without and with --allow-unsigned. */
  const bothWays = async (trust: { keys: readonly KeyObject[] }, word?: string) => [
    await failure(() => open(word, { ...trust, allowUnsigned: false })),
    await failure(() => open(word, { ...trust, allowUnsigned: true })),
  ]

  it.each(['p256', 'ed25519'] as const)(
    'by a trusted key (%s) is good, also for the image alone',
    async (type) => {
      const good = pair(type)
      await push(good.privateKey)
      const keys = [publicKey, good.publicKey]
      const key = keyId(good.publicKey)
      for (const allowUnsigned of [false, true]) {
        const named = { keys, allowUnsigned }
        expect(await open(':1.0.0', named)).toMatchObject({ digest: written.index.digest, key })
        expect(await open(`@${written.manifest.digest}`, named)).toMatchObject({
          manifest: written.manifest,
          key,
        })
      }
    },
  )

  it('that is missing is refused, and is the one thing that --allow-unsigned forgives', async () => {
    expect(await failure(() => open(undefined, trusted))).toEqual([
      'not-signed',
      `HOST/acme/wan@DIGEST is refused: nobody signed it; --allow-unsigned is the only way round this. ${anew}`,
    ])
    for (const keys of [[], [publicKey]]) {
      const taken = await open(':1.0.0', { keys, allowUnsigned: true })
      expect([taken.digest, taken.key]).toEqual([written.index.digest, undefined])
    }
  })

  it('of others is refused where the partner’s is not among them, allowed or not', async () => {
    await push(pair().privateKey)
    await push(pair('ed25519').privateKey)
    expect(await bothWays(trusted)).toEqual([others, others])
    await push(privateKey)
    expect(await open(undefined, trusted)).toMatchObject({ key: keyId(publicKey) })
  })

  it('that was altered is refused, allowed or not', async () => {
    await push(privateKey)
    const manifests = registry.manifests.get('acme/wan')!
    const own = manifests.get(tagOf(written.index.digest))!
    const altered = own.bytes
      .toString()
      .replace(
        /(simplesigning.*signature":")(.)/,
        (_, before, first) => `${before}${first === 'M' ? 'N' : 'M'}`,
      )
    manifests.set(tagOf(written.index.digest), { type: own.type, bytes: Buffer.from(altered) })
    expect(await bothWays(trusted)).toEqual([others, others])
  })

  it('for another image is refused, allowed or not', async () => {
    await push(privateKey)
    const manifests = registry.manifests.get('acme/wan')!
    manifests.set(tagOf(written.index.digest), manifests.get(tagOf(written.manifest.digest))!)
    const refusal = [
      'bad-signature',
      `HOST/acme/wan@DIGEST is refused: its signature is for another image. ${anew}`,
    ]
    expect(await bothWays(trusted)).toEqual([refusal, refusal])
  })

  it.each(['{', '[]', '{"layers":3}', '{"layers":[]}', '{"layers":[null,{"mediaType":"x"}]}'])(
    'that is %s is refused, allowed or not',
    async (text) => {
      registry.put('acme/wan', Buffer.from(text), tagOf(written.index.digest))
      const refusal = [
        'bad-signature',
        `HOST/acme/wan@DIGEST is refused: its signature cannot be read as one. ${anew}`,
      ]
      expect(await bothWays(trusted)).toEqual([refusal, refusal])
    },
  )

  it('is looked for among fifty, however many the registry lists', async () => {
    const payload = Buffer.from('{}')
    const layer = {
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      digest: registry.putBlob('acme/wan', payload),
      size: payload.length,
      annotations: { 'dev.cosignproject.cosign/signature': 'none' },
    }
    const list = Buffer.from(JSON.stringify({ layers: Array(60).fill(layer) }))
    registry.put('acme/wan', list, tagOf(written.index.digest))
    expect((await failure(() => open(undefined, trusted)))[0]).toBe('bad-signature')
    expect(registry.requests.filter((one) => one === `GET acme/wan/blobs/${layer.digest}`)).toHaveLength(50)
  })

  it('is not passed over where no key is at hand to check it with', async () => {
    await push(privateKey)
    expect(await failure(() => open(':1.0.0', { keys: [], allowUnsigned: true }))).toEqual([
      'no-key',
      "HOST/acme/wan@DIGEST is signed, and no key was given to check that with; name the vendor's public key with --key PUB or in SLIPWAY_KEY.",
    ])
  })
})
