import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { LogLine } from '../../src/host/log-lines.ts'
import { followLogs, readLogs } from '../../src/host/logs.ts'
import { type HostStatus, readAllStatuses, readStatus } from '../../src/host/status.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { TinyAppliance } from '../support/tiny-appliance.ts'
import { busyboxLayer, writeTinyLayout } from '../support/tiny-layout.ts'

const name = `slipway-status-${process.pid}`
let engine: Engine
let scratch: Scratch
let appliance: TinyAppliance

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await makeScratch('status')
  await writeTinyLayout(scratch.path, [await busyboxLayer(), { 'etc/name': name }])
  appliance = new TinyAppliance(engine, await readLayout(scratch.path, 'linux/amd64'), name)
  const check = ['sh', '-c', 'echo "fine; cache 3 of 10 bytes"']
  await appliance.reach(appliance.target({ check }))
})

afterAll(async () => {
  await appliance.remove()
  await scratch.remove()
})

const shell = (container: string, script: string) =>
  engine.containers.exec(container, ['/bin/busybox', 'sh', '-c', script])

const service = (status: HostStatus, wanted: string) => status.services.find((one) => one.service === wanted)!

describe('slipway status', () => {
  it('tells the cache by the health check, and what was written over the image', async () => {
    const before = service(await readStatus(engine, name), 'second')
    expect(before).toMatchObject({
      cache: { used: 3, cap: 10, unit: 'bytes', atMost: false },
      drift: 0,
      memory: { cap: 16_777_216, kills: 0 },
    })
    await shell(`${name}-second-1`, 'echo x >/etc/tool; echo y >/data/kept; /bin/busybox mkdir -p /srv/a/b')
    // The Engine's own list does not tell an empty folder from a file.
    const { containerdStore } = await engine.info()
    expect(service(await readStatus(engine, name), 'second').drift).toBe(containerdStore ? 2 : 1)
  })

  it('asks the Engine for memory and drift where it cannot look for itself, and counts no less', async () => {
    const remote: Engine = { ...engine, endpoint: { ...engine.endpoint, transport: 'tcp' } }
    const [near, far] = [await readStatus(engine, name), await readStatus(remote, name)].map((status) =>
      service(status, 'second'),
    )
    expect(far!.drift).toBeGreaterThanOrEqual(near!.drift!)
    expect(far!.memory).toEqual({ used: expect.any(Number), cap: 16_777_216 })
    expect(Math.abs(far!.memory.used! - near!.memory.used!)).toBeLessThan(4 * 2 ** 20)
  })

  it('of all appliances has this one among them, as it is alone but for settings', async () => {
    const { settings, ...alone } = await readStatus(engine, name)
    const among = (await readAllStatuses(engine, await engine.containers.list())).find(
      (one) => one.name === name,
    )!
    // Only where it can look for itself is drift told of many.
    const { containerdStore } = await engine.info()
    const still = ({ services, ...status }: HostStatus) => ({
      ...status,
      services: services.map(({ memory, lastCheck, drift, ...one }) =>
        containerdStore ? one : { ...one, drift },
      ),
    })
    expect(still(among)).toEqual(still(alone))
    expect(settings).toEqual({})
  })

  it('tells of a kill for want of memory: how often, and when the service ended', async () => {
    // The container's own sleep is ended together with what eats: both are in its control group.
    await shell(`${name}-second-1`, 'a=x; while :; do a=$a$a; done')
    const { memory } = service(await readStatus(engine, name), 'second')
    expect(memory.kills).toBeGreaterThan(0)
    const began = Date.now()
    await engine.containers.kill(`${name}-second-1`)
    await expect.poll(async () => service(await readStatus(engine, name), 'second').state).toBe('exited')
    const [ending] = service(await readStatus(engine, name), 'second').endings
    expect(ending).toMatchObject({ exitCode: 137 })
    expect(Math.abs(Date.parse(ending!.at) - began)).toBeLessThan(5000)
    const { stdout, exitCode } = await slipway(['status', '--name', name])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^ended +second \S+Z \(\d+ s ago\).*, exit code 137$/m)
    await engine.containers.start(`${name}-second-1`)
  })

  it('redraws only a terminal', async () => {
    const { exitCode, stderr } = await slipway(['status', '--name', name, '--watch'])
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'slipway: --watch redraws a terminal, and this is none; `slipway status` prints it once.',
    })
  })
})

describe('slipway logs', () => {
  /** Writes a line where the container's log comes from. */
  const write = (one: string, text: string) => shell(`${name}-${one}-1`, `echo '${text}' >/proc/1/fd/1`)
  const texts = (lines: readonly LogLine[]) => lines.map((line) => `${line.service}: ${line.text}`)

  it('gives the lines of all services in the order of time, of one where it is named, and only the last', async () => {
    await write('first', 'one')
    await write('second', 'two')
    await write('first', 'three')
    expect(texts(await readLogs(engine, name, {}))).toEqual(['first: one', 'second: two', 'first: three'])
    expect(texts(await readLogs(engine, name, { service: 'first', lines: 1 }))).toEqual(['first: three'])
    const { stdout } = await slipway(['logs', 'second', '--name', name])
    expect(stdout).toBe('second | two')
  })

  it('keeps control characters from the terminal', async () => {
    await write('second', '\u001b[2J\tcleared')
    const { stdout } = await slipway(['logs', '--name', name, '--tail', '1'])
    expect(stdout.split('\n').at(-1)).toBe('second | \ufffd[2J\tcleared')
  })

  it('follows a service over a restart, and no line comes twice', async () => {
    const stop = new AbortController()
    const taken: string[] = []
    const following = followLogs(
      engine,
      name,
      { service: 'first' },
      ({ text }) => void taken.push(text),
      stop.signal,
    )
    await expect.poll(() => taken, { timeout: 20_000 }).toEqual(['one', 'three'])
    await write('first', 'four')
    await engine.containers.stop(`${name}-first-1`, 0)
    await engine.containers.start(`${name}-first-1`)
    await write('first', 'five')
    await expect.poll(() => taken, { timeout: 10_000 }).toEqual(['one', 'three', 'four', 'five'])
    stop.abort()
    await following
  })

  it('says where an appliance is not installed', async () => {
    const { exitCode, stderr } = await slipway(['logs', '--name', `${name}-none`])
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `slipway: ${name}-none is not installed on this host; \`slipway install\` installs it.`,
    })
  })
})
