import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KnownBlobs } from '../../../../src/bundle/registry/known-blobs.ts'
import { readLayoutContent } from '../../../../src/bundle/registry/layout-content.ts'
import { planPush } from '../../../../src/bundle/registry/plan-push.ts'
import { type Pushed, pushLayout } from '../../../../src/bundle/registry/push.ts'
import { parseReference } from '../../../../src/bundle/registry/reference.ts'
import { RegistrySession, type SessionOptions } from '../../../../src/bundle/registry/session.ts'
import { hexOf } from '../../../../src/lib/digest.ts'
import type { ProgressEvent } from '../../../../src/lib/progress.ts'
import { caughtLater } from '../../../support/caught.ts'
import { FakeRegistry } from '../../../support/fake-registry.ts'
import { noise, writePushableLayout } from '../../../support/pushable-layout.ts'
import { makeScratch, type Scratch } from '../../../support/scratch.ts'

let registry: FakeRegistry
let scratch: Scratch
let layout: string
let written: Awaited<ReturnType<typeof writePushableLayout>>
let events: ProgressEvent[]

beforeEach(async () => {
  registry = await FakeRegistry.start()
  scratch = await makeScratch('push')
  layout = path.join(scratch.path, 'build')
  written = await writePushableLayout(layout)
  events = []
})
afterEach(async () => {
  await registry.close()
  await scratch.remove()
})

interface Wishes extends Partial<SessionOptions> {
  readonly key?: KeyObject
  readonly known?: KnownBlobs
  readonly repository?: string
}

async function push({ key, known, repository = 'acme/wan', ...options }: Wishes = {}): Promise<Pushed> {
  const content = await readLayoutContent(layout)
  const session = new RegistrySession(parseReference(`${registry.host}/${repository}`), {
    env: { DOCKER_CONFIG: scratch.path },
    backoff: 1,
    stallTimeout: 2000,
    ...options,
  })
  session.addScope(`repository:${repository}:pull,push`)
  const plan = await planPush(session, content, '1.0.0', key)
  return pushLayout(session, content, plan, {
    key,
    known: known ?? new Map(),
    report: (event) => events.push(event),
    signal: new AbortController().signal,
  })
}

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const moved = () => events.reduce((sum, event) => sum + (event.type === 'advance' ? event.by : 0), 0)
const asked = (pattern: RegExp) => registry.requests.filter((request) => pattern.test(request))

describe('a push', () => {
  it('asks by HEAD from the top, sends blobs, then manifests by digest, and the tag last', async () => {
    const pushed = await push()
    expect(pushed).toEqual({
      uploaded: 5,
      uploadedBytes: [...registry.blobs.get('acme/wan')!.values()].reduce(
        (sum, blob) => sum + blob.length,
        0,
      ),
      mounted: 0,
      manifests: 4,
      signatures: 0,
    })
    expect(registry.requests.slice(0, 3)).toEqual([
      'HEAD acme/wan/manifests/1.0.0',
      `HEAD acme/wan/manifests/${written.index.digest}`,
      `HEAD acme/wan/manifests/${written.manifest.digest}`,
    ])
    expect(asked(/^PUT .*manifests/)).toEqual([
      `PUT acme/wan/manifests/${written.manifest.digest}`,
      `PUT acme/wan/manifests/${written.index.digest}`,
      `PUT acme/wan/manifests/${written.bill.digest}`,
      `PUT acme/wan/manifests/${written.manifest.digest.replace(':', '-')}`,
      'PUT acme/wan/manifests/1.0.0',
    ])
  })

  it('of what is there already is a few HEAD requests, and no blob', async () => {
    await push()
    registry.requests.length = 0
    expect(await push()).toEqual({ uploaded: 0, uploadedBytes: 0, mounted: 0, manifests: 0, signatures: 0 })
    expect(registry.requests).toEqual([
      'HEAD acme/wan/manifests/1.0.0',
      `HEAD acme/wan/manifests/${written.bill.digest}`,
    ])
  })

  it.each([405, 501])('asks by GET where HEAD is answered %d, and sends no blob twice', async (status) => {
    const key = p256()
    registry.heads = status
    expect(await push({ key })).toMatchObject({ uploaded: 5, manifests: 4, signatures: 2 })
    expect(asked(/^HEAD/)).toEqual(['HEAD acme/wan/manifests/1.0.0'])
    registry.requests.length = 0
    expect(await push({ key })).toMatchObject({ uploaded: 0, manifests: 0, signatures: 0 })
    expect(registry.requests.slice(0, 3)).toEqual([
      'HEAD acme/wan/manifests/1.0.0',
      'GET acme/wan/manifests/1.0.0',
      `GET acme/wan/manifests/${written.bill.digest}`,
    ])
    const upper = { 'etc/three': 'three\n' }
    written = await writePushableLayout(layout, [{ 'etc/one': 'one\n' }, upper])
    registry.requests.length = 0
    expect(await push({ key })).toMatchObject({ uploaded: 2 })
    expect(asked(/^POST .*uploads/).length).toBe(2 + 4)
  })

  it('sends no blob that a GET finds there', async () => {
    registry.heads = 405
    const [layer] = written.layers
    registry.putBlob('acme/wan', await readFile(path.join(layout, 'blobs/sha256', hexOf(layer!.digest))))
    expect(await push()).toMatchObject({ uploaded: 4 })
  })

  it('takes a digest of another algorithm for no other bytes, and moves no tag for it', async () => {
    registry.saysSha512 = true
    expect(await push()).toMatchObject({ uploaded: 5, manifests: 4 })
    expect(await push()).toMatchObject({ uploaded: 0, manifests: 0 })
  })

  it('sends only the blobs that are missing', async () => {
    const [first, second] = written.layers
    registry.putBlob('acme/wan', noise(5))
    await push()
    const upper = { 'etc/three': 'three\n' }
    written = await writePushableLayout(layout, [{ 'etc/one': 'one\n' }, upper])
    expect(written.layers[0]).toEqual(first)
    registry.requests.length = 0
    expect(await push()).toMatchObject({ uploaded: 2, manifests: 4 })
    expect(asked(/^POST/).length).toBe(2)
    expect([...registry.blobs.get('acme/wan')!.keys()]).toContain(second!.digest)
  })

  it('lists what refers to an image by tag where the registry has no list of its own', async () => {
    const tag = written.manifest.digest.replace(':', '-')
    await push()
    expect(registry.manifest('acme/wan', tag)).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ ...written.bill, artifactType: 'application/spdx+json' }],
    })
    registry.referrers = true
    await push({ repository: 'acme/other' })
    expect(registry.manifest('acme/other', tag)).toBe(undefined)
  })

  it('keeps what others listed by that tag, and refuses to add to what is no list', async () => {
    const tag = written.manifest.digest.replace(':', '-')
    const foreign = { mediaType: 'x/y', digest: `sha256:${'1'.repeat(64)}`, size: 1 }
    registry.put('acme/wan', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [foreign] })), tag)
    await push()
    expect(registry.manifest('acme/wan', tag)).toMatchObject({
      manifests: [foreign, { digest: written.bill.digest }],
    })
    registry.put('acme/other', Buffer.from('{}'), tag)
    expect(await caughtLater(() => push({ repository: 'acme/other' }))).toMatchObject({
      code: 'bad-referrers',
      message: `${registry.host}/acme/other:${tag} is no OCI image index, so nothing can be added to it; remove that tag, and push again.`,
    })
  })

  it('lists what refers to an image also where an earlier push got no further than to store it', async () => {
    const tag = written.manifest.digest.replace(':', '-')
    const refused = Array(4).fill({ status: 503, headers: { 'retry-after': '0' } })
    registry.misbehave(new RegExp(`PUT .*manifests/${tag}`), ...refused)
    expect((await caughtLater(() => push())).code).toBe('registry-failed')
    await push()
    expect(registry.manifest('acme/wan', tag)).toMatchObject({ manifests: [{ digest: written.bill.digest }] })
  })

  it('signs index and images as cosign does, once, and keeps the signatures of others', async () => {
    const [mine, theirs] = [p256(), p256()]
    expect(await push({ key: theirs })).toMatchObject({ signatures: 2 })
    expect(await push({ key: mine })).toMatchObject({ signatures: 2, uploaded: 0, manifests: 0 })
    expect(await push({ key: mine })).toMatchObject({ signatures: 0 })
    expect(await push({ key: createPublicKey(mine) })).toMatchObject({ signatures: 0 })
    const tag = `${written.index.digest.replace(':', '-')}.sig`
    const signatureType = 'application/vnd.dev.cosign.simplesigning.v1+json'
    const payload = JSON.stringify({
      critical: {
        identity: { 'docker-reference': `${registry.host}/acme/wan` },
        image: { 'docker-manifest-digest': written.index.digest },
        type: 'cosign container image signature',
      },
      optional: null,
    })
    const layer = {
      mediaType: signatureType,
      digest: expect.stringMatching(/^sha256:/),
      size: payload.length,
      annotations: { 'dev.cosignproject.cosign/signature': expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) },
    }
    const manifest = registry.manifest('acme/wan', tag) as { layers: { digest: string }[] }
    expect(manifest).toMatchObject({ layers: [layer, layer], subject: { digest: written.index.digest } })
    expect(registry.blobs.get('acme/wan')!.get(manifest.layers[0]!.digest)?.toString()).toBe(payload)
    // The list holds the newest manifest of signatures alone.
    expect(registry.manifest('acme/wan', written.index.digest.replace(':', '-'))).toMatchObject({
      manifests: [{ artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' }],
    })
  })

  it('keeps the signatures that others make while it sends', async () => {
    const begun = new RegistrySession(parseReference(`${registry.host}/acme/wan`), { env: {} })
    const [content, key] = [await readLayoutContent(layout), p256()]
    const plan = await planPush(begun, content, '1.0.0', key)
    await push({ key: p256() })
    const { signal } = new AbortController()
    await pushLayout(begun, content, plan, { key, known: new Map(), report: () => {}, signal })
    const tag = `${written.index.digest.replace(':', '-')}.sig`
    expect((registry.manifest('acme/wan', tag) as { layers: unknown[] }).layers).toHaveLength(2)
  })

  it('has a blob mounted from the repository that an earlier push brought it to', async () => {
    await push()
    const known = new Map(written.layers.map(({ digest }) => [digest, 'acme/wan']))
    registry.requests.length = 0
    expect(await push({ repository: 'acme/other', known })).toMatchObject({ mounted: 2, uploaded: 3 })
    // One that is no longer there is sent after all.
    registry.blobs.get('acme/wan')!.clear()
    expect(await push({ repository: 'acme/third', known })).toMatchObject({ mounted: 0, uploaded: 5 })
  })

  it('sends a blob itself where whoever pushes may not read the repository that an earlier push brought it to', async () => {
    await push()
    const known = new Map(written.layers.map(({ digest }) => [digest, 'acme/wan']))
    registry.lends = false
    expect(await push({ repository: 'acme/other', known })).toMatchObject({ mounted: 0, uploaded: 5 })
  })

  it('refuses a layout whose blob is damaged, before the tag is moved', async () => {
    const file = path.join(layout, 'blobs', 'sha256', hexOf(written.layers[0]!.digest))
    await writeFile(file, 'other')
    expect(await caughtLater(() => push())).toMatchObject({
      code: 'bad-blob',
      exitCode: 2,
      message: `${file} is missing, or its bytes do not have the digest of its name; \`slipway build\` writes the layout anew.`,
    })
    expect(asked(/^PUT .*manifests/)).toEqual([])
  })
})

describe('a large blob', () => {
  const size = 9 * 2 ** 20

  beforeEach(async () => {
    written = await writePushableLayout(layout, [{ 'var/large': noise(size) }])
  })

  const whole = () => registry.blobs.get('acme/wan')?.get(written.layers[0]!.digest)?.length

  it('goes in chunks', async () => {
    await push()
    expect(asked(/^(PATCH|POST)/).length).toBe(2 + 4)
    expect(whole()).toBe(written.layers[0]!.size)
  })

  it('goes on where the line was cut', async () => {
    registry.misbehave(/^PATCH/, { takes: 0.5 })
    const { uploadedBytes } = await push()
    expect(whole()).toBe(written.layers[0]!.size)
    expect(asked(/^GET .*uploads/).length).toBe(1)
    expect(asked(/^POST/).length).toBe(4)
    expect(moved()).toBe(uploadedBytes)
  })

  it('comes to its end over a line that is cut again and again, as long as it moves', async () => {
    registry.misbehave(/^PATCH/, ...Array(6).fill({ takes: 0.2 }))
    const { uploadedBytes } = await push()
    expect(whole()).toBe(written.layers[0]!.size)
    expect(moved()).toBe(uploadedBytes)
  })

  it('begins again where the line was cut before the registry had anything: it says 0-0 of one byte too', async () => {
    registry.misbehave(/^PATCH/, { takes: 0 })
    const { uploadedBytes } = await push()
    expect(whole()).toBe(written.layers[0]!.size)
    expect(asked(/^POST/).length).toBe(5)
    expect(moved()).toBe(uploadedBytes)
  })

  it('begins again where the registry forgot it', async () => {
    registry.misbehave(/^PATCH/, { takes: 0.5 })
    registry.misbehave(/^GET .*uploads/, { status: 404 })
    const { uploadedBytes } = await push()
    expect(whole()).toBe(written.layers[0]!.size)
    expect(asked(/^POST/).length).toBe(5)
    expect(moved()).toBe(uploadedBytes)
  })

  const range = (to: number) => ({ range: `0-${to}` })
  it.each([
    // As large registries do: too large a chunk, chunks without end, none at all.
    ['refuses one', { status: 416 }],
    [
      'knows no such request',
      { status: 400, headers: { 'docker-distribution-api-version': 'registry/2.0' } },
    ],
    ['answers 201 and keeps only the first', { status: 201, headers: range(8 * 2 ** 20 - 1) }],
    ['took less than it was sent', { status: 202, headers: range(99) }],
  ])('goes in one piece to a registry that takes no chunks: %s', async (_, answer) => {
    registry.misbehave(/^PATCH/, ...Array(20).fill(answer))
    const { uploadedBytes } = await push()
    expect(whole()).toBe(written.layers[0]!.size)
    expect(asked(/^PATCH/).length).toBe(1)
    expect(moved()).toBe(uploadedBytes)
  })

  it('goes in one piece where the registry wants larger chunks than ours', async () => {
    const headers = { location: '/v2/acme/wan/blobs/uploads/0', 'oci-chunk-min-length': '16777216' }
    registry.misbehave(/^POST/, ...Array(9).fill({ status: 202, headers }))
    registry.misbehave(/^PUT .*uploads/, ...Array(9).fill({ status: 201 }))
    expect(await push()).toMatchObject({ uploaded: 4 })
    expect(asked(/^PATCH/)).toEqual([])
  })

  it('that goes in one piece begins again where the line was cut', async () => {
    registry.misbehave(/^PATCH/, { status: 416 })
    registry.misbehave(/^PUT .*uploads/, 'reset', 'reset', { takes: 0.7 })
    const { uploadedBytes } = await push()
    expect(whole()).toBe(written.layers[0]!.size)
    expect(moved()).toBe(uploadedBytes)
  })

  it('that arrived, and only the answer was lost, is not sent again', async () => {
    registry.misbehave(/^PUT .*uploads/, 'lost answer', 'lost answer', 'lost answer', 'lost answer')
    const { uploadedBytes } = await push()
    expect(asked(/^POST/).length).toBe(4)
    expect(moved()).toBe(uploadedBytes)
  })
})

it('a signed image with what refers to it reaches a registry whose tags never move', async () => {
  registry.immutable = true
  const key = p256()
  expect(await push({ key })).toMatchObject({ signatures: 2 })
  const list = registry.manifest('acme/wan', written.manifest.digest.replace(':', '-'))
  expect(list).toMatchObject({ manifests: [{ digest: written.bill.digest }, {}] })
  expect(await push({ key })).toMatchObject({ manifests: 0, signatures: 0 })
})

it('a manifest that the registry accepts (202), as a large hosted one says, is pushed', async () => {
  registry.misbehave(/^PUT .*manifests/, ...Array(4).fill({ status: 202 }))
  expect(await push()).toMatchObject({ manifests: 4 })
})

describe('a registry that does not want', () => {
  const failure = async (options?: Wishes) => {
    const { code, message } = await caughtLater(() => push(options))
    return [code, message.replaceAll(registry.host, 'HOST').replace(/sha256:[0-9a-f]+/g, 'DIGEST')]
  }

  it('for a time (429, 503, a cut line) is asked again', async () => {
    registry.misbehave(/^HEAD .*manifests\/1.0.0/, { status: 429, headers: { 'retry-after': '0' } })
    registry.misbehave(/^POST/, { status: 503 }, 'reset')
    registry.misbehave(/^PUT .*manifests/, { status: 502 }, 'lost answer')
    expect(await push()).toMatchObject({ uploaded: 5, manifests: 4 })
  })

  it('is waited for as long as Retry-After says, and not for ever', async () => {
    registry.misbehave(/^HEAD/, { status: 429, headers: { 'retry-after': '1' } })
    const started = performance.now()
    await push()
    expect(performance.now() - started).toBeGreaterThan(950)
    registry.misbehave(/^HEAD/, { status: 429, headers: { 'retry-after': '3600' } })
    expect(await failure()).toEqual([
      'registry-failed',
      'What the tag 1.0.0 names cannot be asked, because of HOST/acme/wan: it answers 429: it says there were too many requests; run the same command again later.',
    ])
  })

  it('for good is told after four times', async () => {
    registry.misbehave(/^POST/, ...Array(20).fill({ status: 500 }))
    expect(await failure()).toEqual([
      'registry-failed',
      'The blob DIGEST cannot be pushed, because of HOST/acme/wan: it answers 500: it has an error of its own, asked 4 times; run the same command again later.',
    ])
  })

  it('the user is told with its own words, made harmless', async () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'no\u001b[2J right' }] })
    registry.misbehave(/^POST/, ...Array(20).fill({ status: 403, body }))
    expect(await failure()).toEqual([
      'registry-denied',
      'The blob DIGEST cannot be pushed, because of HOST/acme/wan: it answers 403 (no [2J right); ask who runs HOST for the right.',
    ])
  })

  it('so much at once is told whose limit it is', async () => {
    registry.misbehave(/^PUT .*blobs/, ...Array(20).fill({ status: 413, body: '<html>' }))
    expect(await failure()).toEqual([
      'registry-denied',
      'The blob DIGEST cannot be pushed, because of HOST/acme/wan: it answers 413: it takes no request of this size; a server before it has a limit (nginx: client_max_body_size): ask who runs HOST to raise it to 8 MiB, or above the largest layer where the registry takes no chunks.',
    ])
  })

  it('a manifest that it stored as other bytes is refused', async () => {
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }
    registry.misbehave(/^PUT .*manifests/, { status: 201, headers })
    expect(await failure()).toEqual([
      'wrong-digest',
      'HOST serves other bytes (DIGEST) for acme/wan@DIGEST, so they are refused; ask who runs HOST.',
    ])
  })
})

describe('a login', () => {
  const account = { username: 'partner', password: 'secret' }
  const configure = (password = 'secret') =>
    writeFile(
      path.join(scratch.path, 'config.json'),
      JSON.stringify({
        auths: { [registry.host]: { auth: Buffer.from(`partner:${password}`).toString('base64') } },
      }),
    )

  it('by user name and password is made once', async () => {
    registry.account = { ...account, by: 'basic' }
    await configure()
    expect(await push()).toMatchObject({ uploaded: 5 })
    expect(registry.requests.slice(0, 2)).toEqual([
      'HEAD acme/wan/manifests/1.0.0',
      'HEAD acme/wan/manifests/1.0.0',
    ])
  })

  it('by token is made for what is to be done, and made anew when the token has expired', async () => {
    registry.account = { ...account, by: 'token' }
    await configure()
    await push()
    expect(registry.scopes).toEqual([
      ['repository:acme/wan:pull', 'repository:acme/wan:pull,push', 'repository:asked:pull'],
    ])
    expect(asked(/token/)).toEqual(['GET token'])
    const session = new RegistrySession(parseReference(`${registry.host}/acme/wan`), {
      env: { DOCKER_CONFIG: scratch.path },
    })
    await session.readManifest('1.0.0', 'It')
    registry.expireTokens()
    expect(await session.readManifest('1.0.0', 'It')).toMatchObject({ digest: written.index.digest })
  })

  it('by token does without the repositories that would lend, where they may not be read', async () => {
    registry.account = { ...account, by: 'token' }
    registry.closed = 'other/wan'
    await configure()
    const session = new RegistrySession(parseReference(`${registry.host}/acme/wan`), {
      env: { DOCKER_CONFIG: scratch.path },
    })
    session.addScope('repository:other/wan:pull', true)
    expect(await session.readManifest('1.0.0', 'It')).toBeUndefined()
    expect(registry.scopes.at(-1)).toEqual(['repository:acme/wan:pull', 'repository:asked:pull'])
  })

  it.each(['basic', 'token'] as const)('that is lacking (%s) says how to log in', async (by) => {
    registry.account = { ...account, by }
    const { code, message } = await caughtLater(() => push())
    expect(code).toBe('registry-denied')
    expect(message).toMatch(/; `docker login 127\.0\.0\.1:\d+` logs in\.$/)
    await configure('wrong')
    expect((await caughtLater(() => push())).message).toMatch(
      /; it did not take the login that Docker has, which `docker login 127\.0\.0\.1:\d+` renews\.$/,
    )
    expect(asked(/^(PUT|POST|PATCH)/)).toEqual([])
  })
})
