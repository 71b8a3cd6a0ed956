import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, vi } from 'vitest'
import type { Context } from '../../../src/cli/context.ts'
import { run } from '../../../src/cli/support-bundle.ts'
import { repository } from '../../support/slipway.ts'

it('a support bundle is made where the Engine tells its version and hangs at its containers', async () => {
  const server = createServer((request, response) => {
    if (!request.url!.endsWith('/version')) return
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ Version: '20.10.24', ApiVersion: '1.41', Os: 'linux', Arch: 'amd64' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never)
  const printed: string[] = []
  const context: Context = {
    cwd: repository,
    env: { DOCKER_HOST: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` },
    print: (line) => printed.push(line),
    report: () => {},
    interactive: false,
    color: false,
    signal: new AbortController().signal,
  }
  try {
    await run(context, { directory: '.', dryRun: true }, [])
    expect(printed.join()).toContain('slipway-reference-support-')
    await vi.waitFor(() => expect(exit).toHaveBeenCalled())
  } finally {
    exit.mockRestore()
    server.closeAllConnections()
    server.close()
  }
}, 30_000)
