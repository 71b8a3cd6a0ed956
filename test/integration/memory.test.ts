import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { readLimit } from '../../src/host/set-memory.ts'
import { builtImage } from '../support/built-image.ts'
import { openServiceOrigin } from '../support/service-origin.ts'
import { slipway } from '../support/slipway.ts'

const name = `slipway-memory-${process.pid}`
const container = `${name}-optimiser-1`
const { layoutDirectory, productDirectory } = builtImage()
const MiB = 2 ** 20
let engine: Engine

const install = (...more: string[]) =>
  slipway(['-C', productDirectory, 'install', layoutDirectory, '--name', name, ...more])
const memory = (...parameters: string[]) => slipway(['memory', ...parameters, '--name', name])

beforeAll(async () => {
  engine = await connectEngine()
  const ports = ['--set', 'dns.port=127.0.0.1:24153', '--set', 'optimiser.port=127.0.0.1:24228']
  const installed = await install('--profile', 'branch', ...ports)
  expect(installed.exitCode, installed.stderr).toBe(0)
})

afterAll(() => slipway(['uninstall', '--name', name, '--yes']))

/** What Squid says that objects may take in memory, in MB: what it holds, as a part of the whole. */
async function squidMemory(): Promise<number> {
  const { stdout } = await engine.containers.exec(container, ['squidclient', '-h', '127.0.0.1', 'mgr:info'])
  const kilobytes = Number(/Storage Mem size:\s+(\d+) KB/.exec(stdout)?.[1])
  const percent = Number(/Storage Mem capacity:\s+([\d.]+)% used/.exec(stdout)?.[1])
  return ((kilobytes / percent) * 100) / 1024
}

/** The host as the container sees it. */
async function gateway(): Promise<string> {
  const document = await engine.containers.inspect(container)
  return Object.values(document!.NetworkSettings.Networks)[0]!.Gateway!
}

/** Gives Squid some 20 MB to hold, so that its percentage has digits that count. */
async function fillCache(): Promise<void> {
  const origin = await openServiceOrigin(5_000_000, '192.0.2.80')
  for (const file of ['a', 'b', 'c', 'd']) {
    const url = `http://${await gateway()}:${origin.httpPort}/${file}`
    const [response] = await once(get({ host: '127.0.0.1', port: 24228, path: url }), 'response')
    expect(response.statusCode).toBe(200)
    await response.resume().toArray()
  }
  origin.close()
}

/** A download through the proxy of `pieces` pieces, one every 100 ms; resolves with the bytes that came. */
async function slowDownload(pieces: number): Promise<{ started: Promise<unknown>; bytes: Promise<number> }> {
  const piece = Buffer.alloc(10_000, 'x')
  const server = createServer(async (_, response) => {
    response.writeHead(200, { 'content-length': pieces * piece.length })
    for (let sent = 0; sent < pieces; sent++) {
      response.write(piece)
      await sleep(100)
    }
    response.end()
  }).listen(0, '0.0.0.0')
  await once(server, 'listening')
  const request = get({
    host: '127.0.0.1',
    port: 24228,
    path: `http://${await gateway()}:${(server.address() as AddressInfo).port}/slow`,
  })
  const bytes = (async () => {
    const [response] = await once(request, 'response')
    expect(response.statusCode).toBe(200)
    let count = 0
    for await (const chunk of response) count += chunk.length
    server.close()
    return count
  })()
  return { started: once(request, 'response'), bytes }
}

describe('slipway memory', () => {
  it('raises a limit live: Squid reports its new size, and a download under way is not cut', async () => {
    const before = await engine.containers.inspect(container)
    await fillCache()
    expect(Math.abs((await squidMemory()) / 289 - 1)).toBeLessThan(0.05)
    const { started, bytes } = await slowDownload(100)
    await started
    const { stdout, exitCode, stderr } = await memory('optimiser', '1g')
    expect(exitCode, stderr).toBe(0)
    expect(stdout.split('\n').map((line) => line.replace(/ {2,}/, '  '))).toEqual([
      `~ memory of ${container}  512 MiB → 1 GiB`,
      '~ setting optimiser.memory  1g from now on, over the profile',
      `optimiser of ${name} may use 1 GiB; its cgroup says 1 GiB. Reset, upgrade and a new install keep it.`,
    ])
    await expect
      .poll(async () => Math.abs((await squidMemory()) / 630 - 1), { timeout: 20_000 })
      .toBeLessThan(0.05)
    expect(await bytes).toBe(1_000_000)
    const after = await engine.containers.inspect(container)
    expect([after!.Id, after!.State.StartedAt, after!.RestartCount]).toEqual([
      before!.Id,
      before!.State.StartedAt,
      before!.RestartCount,
    ])
    expect([after!.HostConfig.Memory, after!.HostConfig.MemorySwap]).toEqual([1024 * MiB, 1024 * MiB])
    expect(await readLimit(engine, container)).toBe(1024 * MiB)
  })

  it('is remembered: a new install plans nothing, and a container made anew has it', async () => {
    expect((await install()).stdout.split('\n')[0]).toBe(`${name} is as it should be; nothing was changed.`)
    await engine.containers.remove(container)
    expect((await install()).exitCode).toBe(0)
    expect((await engine.containers.inspect(container))!.HostConfig.Memory).toBe(1024 * MiB)
    const status = JSON.parse((await slipway(['status', '--name', name, '--json'])).stdout)
    expect(status.settings).toMatchObject({ 'optimiser.memory': '1g' })
  })

  it('shows with --dry-run what it would do, and touches nothing', async () => {
    const { stdout } = await memory('optimiser', '256m', '--dry-run')
    expect(stdout).toContain(`~ memory of ${container}   1 GiB → 256 MiB`)
    expect(await readLimit(engine, container)).toBe(1024 * MiB)
  })

  it('refuses what would end the service, and what the host does not have', async () => {
    const below = await memory('optimiser', '8m')
    expect(below.exitCode).toBe(1)
    expect(below.stderr).toMatch(
      /^slipway: The service optimiser uses [\d.]+ MiB now, so that a limit of 8 MiB could end it; give it \d+m or more, or restart it first \(`slipway reset restart`\), or say --force\.$/m,
    )
    const above = await memory('optimiser', '900t')
    expect(above.exitCode).toBe(2)
    expect(above.stderr).toMatch(
      /has [\d.]+ GiB of memory, less than 921600 GiB; give less, or say --force\.$/,
    )
    expect(await readLimit(engine, container)).toBe(1024 * MiB)
  })

  it('takes everything back where the service does not take its settings', async () => {
    const used = (await engine.containers.memory(container))!.used
    expect(used).toBeLessThan(50 * MiB)
    const { exitCode, stderr } = await memory('optimiser', '60m')
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'slipway: The service optimiser did not take its settings: optimiser: a memory limit of 60 MB is too small; it must be at least 64 MB. Raise it in the profile; `slipway logs optimiser` tells more. What had been made was removed again.',
    )
    expect(await readLimit(engine, container)).toBe(1024 * MiB)
    const plan = (await install('--dry-run')).stdout.split('\n')
    expect(plan[0]).toBe(`${name} is as it should be; nothing to do.`)
    expect(plan[1]).toContain('optimiser.memory=1g')
  })

  it('refuses a size or a service that is none, and says which is meant', async () => {
    const size = await memory('optimiser', 'much')
    expect([size.exitCode, size.stderr]).toEqual([
      2,
      'slipway: "much" is no memory size; write one such as 512m or 2g, at least 6m.',
    ])
    const service = await memory('optimizer', '1g')
    expect([service.exitCode, service.stderr]).toEqual([
      2,
      `slipway: ${name} has no service optimizer; did you mean optimiser? It has dns, optimiser.`,
    ])
  })
})
