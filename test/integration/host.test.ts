import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { describeStep } from '../../src/host/describe-step.ts'
import { inspectHost } from '../../src/host/inspect.ts'
import { probePorts } from '../../src/host/port-probe.ts'
import { readStatus } from '../../src/host/status.ts'
import { emptyTarget } from '../../src/host/target.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import type { SlipwayError } from '../../src/lib/errors.ts'
import { TinyAppliance } from '../support/tiny-appliance.ts'
import { busyboxLayer, writeTinyLayout } from '../support/tiny-layout.ts'

const name = `slipway-test-host-${process.pid}`
let engine: Engine
let scratch: string
let appliance: TinyAppliance

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-host-'))
  await writeTinyLayout(scratch, [await busyboxLayer(), { 'etc/name': name }])
  appliance = new TinyAppliance(engine, await readLayout(scratch, 'linux/amd64'), name)
})

afterEach(() => appliance.remove())
afterAll(() => rm(scratch, { recursive: true, force: true }))

/** Everything of the appliance on the Engine, without times: what must be the same before and after. */
async function picture() {
  const { images, foreign, ...own } = await inspectHost(engine, name)
  return { ...own, image: images.find(({ tags }) => tags.includes(appliance.reference)) }
}

/** The same, whenever its containers were started. */
function withoutTimes({ containers, ...rest }: Awaited<ReturnType<typeof picture>>) {
  return { ...rest, containers: containers.map(({ startedAt: _, ...one }) => one) }
}

async function caught(
  action: Promise<unknown>,
): Promise<Pick<SlipwayError, 'code' | 'exitCode' | 'message'>> {
  const error = await action.then(
    () => undefined,
    (thrown: SlipwayError) => thrown,
  )
  if (!error) throw new Error('nothing was thrown')
  return { code: error.code, exitCode: error.exitCode, message: error.message }
}

async function execute(container: string, ...command: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await engine.containers.exec(container, ['/bin/busybox', ...command])
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  return stdout
}

const nothing = { name, networks: [], volumes: [], containers: [], helpers: [], image: undefined }

describe('an install', () => {
  it('brings the host to the target, and a second one plans nothing', async () => {
    await appliance.reach(appliance.target())
    expect(await appliance.plan(appliance.target())).toEqual([])
    const { services } = await readStatus(engine, name)
    expect(
      services.map(({ service, state, health, memory }) => ({ service, state, health, cap: memory.cap })),
    ).toEqual([
      { service: 'first', state: 'running', health: 'healthy', cap: undefined },
      { service: 'second', state: 'running', health: 'healthy', cap: 16_777_216 },
    ])
    expect(services[1]!.memory.used).toBeGreaterThan(0)
  })

  it('that fails on an empty host leaves nothing behind', async () => {
    const broken = appliance.target({ check: ['sh', '-c', 'echo no answer; exit 1'] })
    expect(await caught(appliance.reach(broken))).toEqual({
      code: 'not-healthy',
      exitCode: 1,
      message:
        'The service second did not come up: its health check failed; its last words: no answer. What had been made was removed again.',
    })
    expect(await picture()).toEqual(nothing)
  })

  it('refuses a host where a stranger has one of its names, before it makes anything', async () => {
    const volume = `${name}_data`
    await engine.volumes.create({ name: volume, driver: 'local', options: {}, labels: {} })
    try {
      const refused = await caught(appliance.plan(appliance.target()))
      expect(refused).toEqual({
        code: 'name-taken',
        exitCode: 3,
        message: `the volume ${volume} exists on this host and is not of the appliance ${name}; remove or rename it, or choose another --name.`,
      })
      expect(await picture()).toEqual(nothing)
    } finally {
      await engine.volumes.remove(volume)
    }
  })

  it('that meets a taken port only at the start takes everything back and names the port', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    try {
      const wanted = { ip: '127.0.0.1', port, protocol: 'tcp' }
      expect(await probePorts([wanted, { ...wanted, ip: '127.0.0.2' }])).toEqual([wanted])
      const failed = await caught(appliance.reach(appliance.target({ port })))
      expect(failed).toEqual({
        code: 'port-taken',
        exitCode: 1,
        message: `Port ${port}/tcp on the Docker host is already in use; \`docker ps\` and \`ss -lpntu\` show by what: stop that, or give the profile another port, then run the same command again. What had been made was removed again.`,
      })
      expect(await picture()).toEqual(nothing)
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })
})

describe('a change', () => {
  it('makes only the changed service anew and keeps its volume', async () => {
    await appliance.reach(appliance.target())
    const before = await picture()
    await execute(`${name}-second-1`, 'sh', '-c', 'echo kept > /data/file')
    await appliance.reach(appliance.target({ pids: 50 }))
    const after = await picture()
    const idOf = (state: typeof before, service: string) =>
      state.containers.find((one) => one.service === service)?.id
    expect(idOf(after, 'first')).toBe(idOf(before, 'first'))
    expect(idOf(after, 'second')).not.toBe(idOf(before, 'second'))
    expect(await execute(`${name}-second-1`, 'cat', '/data/file')).toBe('kept\n')
    expect(after.containers.map((one) => one.name).sort()).toEqual([`${name}-first-1`, `${name}-second-1`])
  })

  it('whose new container never becomes healthy is taken back: the old one serves, exit code 5', async () => {
    await appliance.reach(appliance.target())
    const before = await picture()
    const failed = await caught(appliance.reach(appliance.target({ check: ['false'], pids: 50 })))
    expect(failed).toEqual({
      code: 'not-healthy',
      exitCode: 5,
      message:
        'The service second did not come up: its health check failed. The former containers serve again; nothing else was changed.',
    })
    await appliance.reach(appliance.target())
    expect(withoutTimes(await picture())).toEqual(withoutTimes(before))
  })

  it('cut off after any of its steps is finished by the same command', async () => {
    let [from, to] = [appliance.target(), appliance.target({ version: '2.0.0', pids: 50 })]
    await appliance.reach(from)
    const { length } = await appliance.plan(to)
    for (let cut = 1; cut < length; cut++) {
      await appliance.apply((await appliance.plan(to)).slice(0, cut))
      await appliance.reach(to)
      expect({ cut, open: (await appliance.plan(to)).map(describeStep) }).toEqual({ cut, open: [] })
      ;[from, to] = [to, from]
    }
  })

  it('behind its back is seen and put right', async () => {
    const wanted = appliance.target()
    await appliance.reach(wanted)
    await engine.containers.stop(`${name}-first-1`)
    await engine.containers.remove(`${name}-second-1`)
    expect((await appliance.plan(wanted)).map((step) => `${describeStep(step)}: ${step.reason}`)).toEqual([
      `create container ${name}-second-1: not on this host`,
      `start container ${name}-first-1: it is stopped`,
      `wait for ${name}-first-1: it is stopped`,
      `start container ${name}-second-1: not on this host`,
      `wait for ${name}-second-1: not on this host`,
    ])
    await appliance.reach(wanted)
    expect(await appliance.plan(wanted)).toEqual([])
  })
})

describe('an uninstall', () => {
  it('removes what is its own and nothing of a neighbour, nor the data when told to keep it', async () => {
    const neighbour = new TinyAppliance(engine, await readLayout(scratch, 'linux/amd64'), `${name}-neighbour`)
    try {
      await neighbour.reach(neighbour.target())
      const others = await inspectHost(engine, neighbour.name)
      await appliance.reach(appliance.target())
      await appliance.reach(emptyTarget(name, true))
      const { volumes, containers, networks } = await picture()
      expect({ volumes: volumes.map((one) => one.name), containers, networks }).toEqual({
        volumes: [`${name}_data`],
        containers: [],
        networks: [],
      })
      await appliance.reach(emptyTarget(name, false))
      expect((await picture()).volumes).toEqual([])
      const { containers: left, volumes: kept, networks: joined } = await inspectHost(engine, neighbour.name)
      expect({ left, kept, joined }).toEqual({
        left: others.containers,
        kept: others.volumes,
        joined: others.networks,
      })
    } finally {
      await neighbour.remove()
    }
  })

  it('is refused before anything goes where a stranger’s container mounts a volume or is on the network', async () => {
    await appliance.reach(appliance.target())
    const before = await picture()
    const guest = `${name}-stranger`
    const spec = { Image: appliance.reference, Cmd: ['/bin/busybox', 'sleep', '100000'], Labels: {} }
    try {
      await engine.containers.create(guest, { ...spec, HostConfig: { Binds: [`${name}_data:/data`] } })
      expect(await caught(appliance.reach(emptyTarget(name, false)))).toEqual({
        code: 'volume-in-use',
        exitCode: 3,
        message: `The container ${guest} is not of the appliance ${name} and mounts its volume ${name}_data, which is to go; remove that container (\`docker rm --force ${guest}\`) when nobody needs it, then run the same command again.`,
      })
      await engine.containers.remove(guest)
      await engine.containers.create(guest, { ...spec, HostConfig: { NetworkMode: `${name}_default` } })
      await engine.containers.start(guest)
      await execa('docker', ['pause', guest])
      expect(await caught(appliance.reach(emptyTarget(name, false)))).toEqual({
        code: 'network-in-use',
        exitCode: 3,
        message: `The container ${guest} is not of the appliance ${name} and is on its network ${name}_default, which is to go; \`docker network disconnect ${name}_default ${guest}\`, then run the same command again.`,
      })
    } finally {
      await engine.containers.remove(guest)
    }
    expect(await picture()).toEqual(before)
  })
})
