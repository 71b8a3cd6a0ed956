import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { OutputChunk } from '../../src/engine/containers-port.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { readSmallFiles, tarOfFile } from '../../src/host/small-file.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import type { SlipwayError } from '../../src/lib/errors.ts'
import { TinyAppliance } from '../support/tiny-appliance.ts'
import { busyboxLayer, writeTinyLayout } from '../support/tiny-layout.ts'

const name = `slipway-test-port-${process.pid}`
const container = `${name}-second-1`
let engine: Engine
let scratch: string
let appliance: TinyAppliance
let began: number

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-port-'))
  await writeTinyLayout(scratch, [await busyboxLayer(), { 'etc/name': name }])
  appliance = new TinyAppliance(engine, await readLayout(scratch, 'linux/amd64'), name)
  began = Date.parse((await engine.info()).time) / 1000
  await appliance.reach(appliance.target())
})

afterAll(async () => {
  await appliance.remove()
  await rm(scratch, { recursive: true, force: true })
})

const busybox = (...command: string[]): string[] => ['/bin/busybox', ...command]

async function caught(action: Promise<unknown>) {
  const error = await action.then(
    () => undefined,
    (thrown: SlipwayError) => thrown,
  )
  return { code: error?.code, message: error?.message }
}

describe('files of a container', () => {
  it('are read, written and looked at through the archive calls, volumes included', async () => {
    const { containers } = engine
    await containers.putArchive(container, '/data', tarOfFile('kept', 'über'))
    const files = await readSmallFiles(await containers.getArchive(container, '/data'))
    expect([...files]).toEqual([['kept', 'über']])
    expect(await containers.stat(container, '/data/kept')).toMatchObject({
      name: 'kept',
      size: 5,
      mode: 0o600,
    })
    expect(await containers.getArchive(container, '/data/none')).toBeUndefined()
    expect(await containers.stat(container, '/data/none')).toBeUndefined()
    expect(await containers.getArchive(`${container}-none`, '/')).toBeUndefined()
  })

  it('that differ from the image are listed with how', async () => {
    const script = 'echo x > /etc/name; echo y > /etc/new; rm /bin/sh; true'
    await engine.containers.exec(container, busybox('sh', '-c', script))
    const changes = await engine.containers.changes(container)
    expect(changes).toEqual(
      expect.arrayContaining([
        { path: '/etc/name', kind: 'modified' },
        { path: '/etc/new', kind: 'added' },
      ]),
    )
    expect(await engine.containers.written(container)).toBeGreaterThan(0)
    expect(await engine.containers.written(`${container}-none`)).toBeUndefined()
  })
})

describe('a running container', () => {
  it('takes other limits and says so', async () => {
    const memory = 24 * 2 ** 20
    await engine.containers.update(container, { memory, memorySwap: memory })
    expect((await engine.containers.inspect(container))?.HostConfig).toMatchObject({
      Memory: memory,
      MemorySwap: memory,
    })
  })

  it('names its processes', async () => {
    const commands = (await engine.containers.top(container)).map((one) => one.CMD)
    expect(commands).toContainEqual(expect.stringContaining('busybox sleep'))
  })

  it('runs a program as another user, with an environment, and not for ever', async () => {
    const script = 'id -u; echo $COLOUR; echo bad >&2; exit 3'
    const options = { user: '65534', env: ['COLOUR=blue'] }
    expect(await engine.containers.exec(container, busybox('sh', '-c', script), options)).toEqual({
      exitCode: 3,
      stdout: '65534\nblue\n',
      stderr: 'bad\n',
    })
    const slow = engine.containers.exec(container, busybox('sleep', '20'), { timeout: 300 })
    expect(await caught(slow)).toEqual({
      code: 'exec-timeout',
      message: '/bin/busybox had not ended after 0.3 s; `slipway status` shows how its service fares.',
    })
  })

  it('can be watched as it writes its log, until the watcher leaves', async () => {
    const writer = `${container}-writer`
    const { Image } = (await engine.containers.inspect(container))!
    const Cmd = busybox('sh', '-c', 'echo one; echo two >&2; sleep 100')
    await engine.containers.create(writer, { Image, Cmd, Labels: {}, HostConfig: { NetworkMode: 'none' } })
    try {
      await engine.containers.start(writer)
      const seen: OutputChunk[] = []
      for await (const chunk of engine.containers.streamLogs(writer, { follow: true })) {
        seen.push(chunk)
        if (seen.length === 2) break
      }
      const texts = seen.map(({ stream, data }) => `${stream} ${data}`).sort()
      expect(texts).toEqual(['stderr two\n', 'stdout one\n'])
    } finally {
      await engine.containers.remove(writer)
    }
  })
})

describe('the Engine', () => {
  it('tells what happened between two moments', async () => {
    const until = Date.parse((await engine.info()).time) / 1000 + 1
    const labels = { 'io.slipway.appliance': name }
    const actions: string[] = []
    for await (const event of engine.events({ since: Math.floor(began), until, labels })) {
      if (event.type === 'container' && event.attributes.name === `${name}-first-1`)
        actions.push(event.action)
    }
    expect(actions).toEqual(expect.arrayContaining(['create', 'start', 'health_status: healthy']))
  })

  it('tells what volumes and containers take', async () => {
    const { volumes, containers } = await engine.diskUsage()
    expect(volumes).toContainEqual({ name: `${name}_data`, size: expect.any(Number) })
    expect(containers.length).toBeGreaterThan(1)
  })

  it('says nothing of what it does not have', async () => {
    expect(await engine.volumes.inspect(`${name}_none`)).toBeUndefined()
    expect(await engine.networks.inspect(`${name}_none`)).toBeUndefined()
    expect(await engine.volumes.inspect(`${name}_data`)).toMatchObject({ Name: `${name}_data` })
    expect(await engine.networks.inspect(`${name}_default`)).toMatchObject({ Name: `${name}_default` })
    expect(await caught(engine.containers.start(`${name}-none`))).toEqual({
      code: 'gone',
      message: `The Docker Engine has no container ${name}-none any more; run the same command again.`,
    })
  })
})
