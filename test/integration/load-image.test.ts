import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { loadImage } from '../../src/engine/load-image.ts'
import type { Descriptor } from '../../src/image/oci.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { hexOf } from '../../src/lib/digest.ts'
import { type ProgressEvent, silent } from '../../src/lib/progress.ts'
import { busyboxLayer, writeTinyLayout } from '../support/tiny-layout.ts'

const name = `slipway-test-load-${process.pid}`
let engine: Engine
let scratch: string

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-load-'))
})

afterAll(async () => {
  for (const image of await engine.images.list()) {
    for (const tag of image.tags) if (tag.startsWith(`${name}:`)) await engine.images.remove(tag)
  }
  await rm(scratch, { recursive: true, force: true })
})

/** A layout of a base layer that no other test has, and a small one over it. */
async function layoutOf(folder: string, text: string) {
  const base = { ...(await busyboxLayer()), 'etc/run': `${name}\n` }
  const directory = path.join(scratch, folder)
  const written = await writeTinyLayout(directory, [base, { 'etc/text': text }])
  return { directory, written, image: await readLayout(directory, 'linux/amd64') }
}

/** What the Engine calls an image: containerd's image store knows it by its manifest. */
async function idOf(image: { readonly config: Descriptor; readonly manifest: Descriptor }): Promise<string> {
  return (await engine.info()).containerdStore ? image.manifest.digest : image.config.digest
}

describe('loadImage', () => {
  it('sends a whole image once, then only the layers that the Engine lacks', async () => {
    const one = await layoutOf('one', 'one')
    const two = await layoutOf('two', 'two')
    const [base, small] = one.written.layers.map((layer) => layer.size)
    expect(await loadImage(engine, one.image, [`${name}:one`], silent)).toEqual({
      id: await idOf(one.written),
      sent: base! + small!,
      shared: 0,
    })
    expect(await loadImage(engine, two.image, [`${name}:two`], silent)).toEqual({
      id: await idOf(two.written),
      sent: two.written.layers[1]!.size,
      shared: 1,
    })
    expect((await engine.images.inspect(`${name}:two`))?.layers).toEqual(
      two.image.layers.map((one) => one.diffId),
    )
  })

  it('makes the same image of layers that were unpacked on their way', async () => {
    const { image, written, directory } = await layoutOf('unpacked', 'unpacked')
    const layers = image.layers.map(async (layer) => {
      const packed = await readFile(path.join(directory, 'blobs', 'sha256', hexOf(layer.digest)))
      return { ...layer, unpacked: gunzipSync(packed).length }
    })
    const known = { ...image, layers: await Promise.all(layers) }
    const { id } = await loadImage(engine, known, [`${name}:unpacked`], silent)
    expect(id).toBe(await idOf(written))
    expect((await engine.images.inspect(`${name}:unpacked`))?.layers).toEqual(
      image.layers.map((one) => one.diffId),
    )
  })

  it('sends the whole image where the Engine does not have what it was thought to have', async () => {
    const { image, written } = await layoutOf('fallback', 'fallback')
    const liar: Engine = {
      ...engine,
      images: {
        ...engine.images,
        list: async () => [{ id: 'sha256:0', tags: [], labels: {}, size: 0 }],
        inspect: async (reference) =>
          reference === 'sha256:0'
            ? {
                id: reference,
                tags: [],
                labels: {},
                size: 0,
                layers: image.layers.map((layer) => layer.diffId),
                architecture: 'amd64',
                os: 'linux',
              }
            : engine.images.inspect(reference),
      },
    }
    // The small layer is new to the Engine, so an archive without it cannot be taken.
    const notes: ProgressEvent[] = []
    const loaded = await loadImage(liar, image, [`${name}:fallback`], (event) => {
      if (event.type === 'note') notes.push(event)
    })
    expect(loaded).toEqual({
      id: await idOf(written),
      sent: written.layers[0]!.size + written.layers[1]!.size,
      shared: 0,
    })
    expect(notes).toEqual([{ type: 'note', text: 'The Engine wants the whole image after all.' }])
  })

  it('leaves no image behind when a layer is damaged', async () => {
    const { image, directory, written } = await layoutOf('damaged', 'damaged')
    const file = path.join(directory, 'blobs', 'sha256', hexOf(written.layers[1]!.digest))
    const bytes = await readFile(file)
    await writeFile(
      file,
      bytes.map((byte, index) => (index === bytes.length - 6 ? byte ^ 1 : byte)),
    )
    await expect(loadImage(engine, image, [`${name}:damaged`], silent)).rejects.toThrow(
      `${file} is damaged: its bytes do not have the digest of its name; \`slipway build\` writes the layout anew.`,
    )
    expect(await engine.images.inspect(`${name}:damaged`)).toBeUndefined()
  })

  it('stops in the middle when it is interrupted', async () => {
    const { image } = await layoutOf('interrupted', 'interrupted')
    const interrupt = new AbortController()
    const whole = { ...engine, images: { ...engine.images, list: async () => [] } }
    const load = loadImage(
      whole,
      image,
      [`${name}:interrupted`],
      (event) => {
        if (event.type === 'advance') interrupt.abort(new Error('enough'))
      },
      interrupt.signal,
    )
    await expect(load).rejects.toThrow('enough')
    expect(await engine.images.inspect(`${name}:interrupted`)).toBeUndefined()
  })
})

describe('connectEngine', () => {
  it('says that nothing listens at an address, and who named the address', async () => {
    const DOCKER_HOST = `unix://${scratch}/none.sock`
    await expect(connectEngine({ DOCKER_HOST })).rejects.toThrow(
      `No Docker Engine answers at ${DOCKER_HOST} (from DOCKER_HOST): start it there, or point DOCKER_HOST at another, then run the same command again.`,
    )
  })

  it('speaks the API version that both sides know, over tcp as over the socket', async () => {
    const socketPath = engine.endpoint.socketPath ?? '/var/run/docker.sock'
    const relay = createTcpServer((client) => {
      const upstream = connect(socketPath)
      client.pipe(upstream).pipe(client)
      for (const end of [client, upstream]) end.on('error', () => client.destroy())
    })
    const port = await listen(relay)
    try {
      const remote = await connectEngine({ DOCKER_HOST: `tcp://127.0.0.1:${port}` })
      expect(remote.version).toEqual(engine.version)
      expect((await remote.info()).hostName).toBe((await engine.info()).hostName)
    } finally {
      relay.close()
    }
  })

  it('says that something else than an Engine answers', async () => {
    const other = createHttpServer((_, response) => response.end('hello'))
    const DOCKER_HOST = `tcp://127.0.0.1:${await listen(other)}`
    try {
      await expect(connectEngine({ DOCKER_HOST })).rejects.toThrow(
        `What answers at ${DOCKER_HOST} (from DOCKER_HOST) is no Docker Engine; correct the address, then run the same command again.`,
      )
    } finally {
      other.close()
    }
  })
})

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
