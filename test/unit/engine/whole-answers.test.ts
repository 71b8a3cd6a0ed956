import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { caughtLater } from '../../support/caught.ts'

let server: Server | undefined
afterEach(() => void server?.close())

/** An Engine that answers every question but the first as `answer` does. */
async function engineThat(answer: RequestListener): Promise<Engine> {
  server = createServer((request, response) => {
    if (!request.url!.endsWith('/version')) return answer(request, response)
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ Version: '20.10.24', ApiVersion: '1.41', Os: 'linux', Arch: 'amd64' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return connectEngine({ DOCKER_HOST: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

it('an Engine that goes away in the middle of an answer is an error, not an end without a word', async () => {
  const engine = await engineThat((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.write('[{"Id":"a')
    setTimeout(() => request.socket.destroy(), 20)
  })
  expect(await caughtLater(() => engine.containers.list())).toMatchObject({ code: 'engine-gone' })
})

it('a container without a change, of which an Engine says null, has none', async () => {
  const engine = await engineThat((_, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end('null\n')
  })
  expect(await engine.containers.changes('acme-dns-1')).toEqual([])
})

it('lists volumes and networks by name, in whatever order an Engine has them', async () => {
  const volume = { Driver: 'local', Mountpoint: '/', Options: null, Labels: null }
  const network = { Driver: 'bridge', Labels: {} }
  const engine = await engineThat((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(
      JSON.stringify(
        request.url!.endsWith('/volumes')
          ? { Volumes: ['b', 'a_state', 'a_data'].map((Name) => ({ ...volume, Name })) }
          : ['b:2', 'a:1', 'b:1'].map((both) => ({ ...network, Name: both[0], Id: both[2] })),
      ),
    )
  })
  expect((await engine.volumes.list()).map(({ Name }) => Name)).toEqual(['a_data', 'a_state', 'b'])
  expect((await engine.networks.list()).map(({ Name, Id }) => `${Name}:${Id}`)).toEqual(['a:1', 'b:1', 'b:2'])
})

it('a refusal keeps the words of the Engine', async () => {
  const engine = await engineThat((_, response) => {
    response.writeHead(409, { 'Content-Type': 'application/json' })
    response.end('{"message":"Container a is paused and must be unpaused first"}')
  })
  expect(await caughtLater(() => engine.containers.remove('a'))).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('refused: Container a is paused and must be unpaused first;') as string,
  })
})

it('a server that says null of itself is no Engine', async () => {
  server = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end('null\n')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  expect(await caughtLater(() => connectEngine({ DOCKER_HOST: `tcp://127.0.0.1:${port}` }))).toMatchObject({
    code: 'not-an-engine',
  })
})
