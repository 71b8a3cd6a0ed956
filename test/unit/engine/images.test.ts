import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect.ts'

/** An Engine that answers each question for an image with the next of `answers`, the last one again and again. */
async function withEngine<T>(
  answers: readonly [status: number, body: object][],
  use: (env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-engine-'))
  const socket = path.join(folder, 'e.sock')
  const rest = [...answers]
  const say = (answer: ServerResponse, [status, body]: readonly [number, object]): void =>
    void answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const version = { ApiVersion: '1.52', MinAPIVersion: '1.44', Version: '29.0.0', Os: 'linux', Arch: 'amd64' }
  const server = createServer((request, answer) => {
    if (request.url?.endsWith('/version')) return say(answer, [200, version])
    say(answer, rest.length > 1 ? rest.shift()! : rest[0]!)
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  try {
    return await use({ DOCKER_HOST: `unix://${socket}` })
  } finally {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  }
}

const changed = { message: 'consistency error: data changed during operation, retry' }

it("an image that another run removes while containerd's store looks at it is not there", async () => {
  const gone = { message: 'No such image: acme:1.0.0' }
  const answers: [number, object][] = [
    [500, changed],
    [404, gone],
  ]
  const image = await withEngine(answers, async (env) =>
    (await connectEngine(env)).images.inspect('acme:1.0.0'),
  )
  expect(image).toBeUndefined()
})

it('an image that changes again and again is an error, not a question for ever', async () => {
  await withEngine([[500, changed]], async (env) => {
    const engine = await connectEngine(env)
    await expect(engine.images.inspect('acme:1.0.0')).rejects.toMatchObject({ code: 'engine-refused' })
  })
})
