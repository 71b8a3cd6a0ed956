import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBase } from '../../src/bundle/update-base.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { EngineRelay } from '../support/engine-relay.ts'
import { PrivateEngine } from '../support/private-engine.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { writeServiceBundle } from '../support/service-bundle.ts'
import { repository, slipway } from '../support/slipway.ts'
import { otherPublicKey, tinyKey, tinyKeyId, tinyPublicKey } from '../support/tiny-bundle.ts'

const name = 'bu'
const loading = 'POST /images/load'
const ballast = randomBytes(12 << 20)
let scratch: Scratch
let own: PrivateEngine
let engine: Engine
let relay: EngineRelay
let key: string
let full: string

beforeAll(async () => {
  scratch = await makeScratch('bundle')
  own = await PrivateEngine.start(400 * 2 ** 20)
  engine = own.engine
  relay = await EngineRelay.start(scratch.path, engine.endpoint)
  key = path.join(scratch.path, 'vendor.pub')
  await writeFile(key, tinyPublicKey.export({ type: 'spki', format: 'pem' }))
  full = await writeServiceBundle(scratch.path, { name, ballast })
})

afterAll(async () => {
  relay.close()
  await own.stop()
  await scratch.remove()
})

/** Takes everything of the appliance from the Engine, its images too. */
async function clear(): Promise<void> {
  await slipway(['uninstall', '--name', name, '--yes'], { env: relay.env })
  for (const { tags } of await engine.images.list())
    for (const tag of tags) if (tag.startsWith(`${name}:`)) await engine.images.remove(tag)
}

/** As a host without a product directory types it. */
function install(bundle: string, ...more: readonly string[]) {
  const parameters = ['install', '--bundle', bundle, '--key', key, '--name', name, ...more]
  return slipway(parameters, { cwd: scratch.path, env: relay.env })
}

function lastLine({ exitCode, stderr }: Awaited<ReturnType<typeof install>>) {
  return { exitCode, said: String(stderr).trim().split('\n').at(-1) }
}

/** What of the appliance the Engine has. */
async function onEngine(): Promise<string[]> {
  const [containers, images] = await Promise.all([engine.containers.list(), engine.images.list()])
  return [
    ...containers.filter((one) => one.name.startsWith(`${name}-`)).map((one) => one.name),
    ...images.flatMap(({ tags }) => tags).filter((tag) => tag.startsWith(`${name}:`)),
  ]
}

async function release(): Promise<string> {
  const { stdout } = await slipway(['status', '--name', name, '--json'], { env: relay.env })
  return JSON.parse(stdout).release
}

/** Runs the install through the relay; `before` and `after` may do harm at a request that changes the Engine. */
async function harmed(
  at: string,
  when: 'before' | 'after',
  harm: (kill: () => Promise<void>) => unknown,
): Promise<{ code: number | null; signal: string | null; stderr: string }> {
  const program = path.join(repository, 'dist', 'program', 'main.js')
  const child = spawn(
    process.execPath,
    [program, 'install', '--bundle', full, '--key', key, '--name', name],
    {
      cwd: scratch.path,
      env: { ...process.env, ...relay.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  relay.watch({ [when]: ({ what }: { what: string }) => (what === at ? harm(kill) : undefined) })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  relay.watch()
  return { code, signal, stderr }
}

describe('slipway verify', () => {
  it('says whose a bundle is and what is in it, in words and as JSON', async () => {
    const words = await slipway(['verify', full, '--key', key])
    expect(words.exitCode).toBe(0)
    expect(words.stdout).toContain(`signed by ${tinyKeyId}; every byte is as it was signed`)
    const json = JSON.parse((await slipway(['verify', full, '--key', key, '--json'])).stdout)
    expect(json).toMatchObject({ kind: 'full', signed: true, key: tinyKeyId, platform: 'linux/amd64' })
    expect(json.images.map((one: { role: string }) => one.role)).toEqual(['appliance', 'installer'])
  })

  it('takes the key from SLIPWAY_KEY, and refuses with exit code 2', async () => {
    const other = path.join(scratch.path, 'other.pub')
    await writeFile(other, otherPublicKey.export({ type: 'spki', format: 'pem' }))
    const good = await slipway(['verify', full], { env: { SLIPWAY_KEY: key } })
    const wrong = await slipway(['verify', full], { env: { SLIPWAY_KEY: other } })
    expect([good.exitCode, wrong.exitCode]).toEqual([0, 2])
    expect(wrong.stderr).toContain(
      `is refused: it is signed by the key ${tinyKeyId}, and the one to check with is`,
    )
  })
})

describe('slipway install --bundle', () => {
  it('loads nothing of a bundle that is altered, unsigned or of another key', async () => {
    const altered = path.join(scratch.path, 'altered.tar')
    const bytes = await readFile(full)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(altered, bytes)
    const unsigned = await writeServiceBundle(path.join(scratch.path, 'unsigned'), { name, unsigned: true })
    const said = [await install(altered), await install(unsigned)].map(({ exitCode, stderr }) => [
      exitCode,
      /is refused: (.*?)[;.]/.exec(stderr)?.[1],
    ])
    expect(said).toEqual([
      [2, expect.stringContaining('has another checksum than its bundle')],
      [2, 'nobody signed it'],
    ])
    expect(await onEngine()).toEqual([])
    const allowed = await install(unsigned, '--allow-unsigned', '--dry-run')
    expect([allowed.exitCode, allowed.stderr]).toEqual([
      0,
      expect.stringContaining(
        'IS NOT SIGNED: nobody can tell who made it. It is taken because of --allow-unsigned.',
      ),
    ])
  })

  it('refuses an update where the Engine lacks what it stands on, and loads nothing', async () => {
    const since = await readBase(full, tinyKey)
    const update = await writeServiceBundle(scratch.path, { name, version: '1.1.0', ballast, since })
    const { exitCode, stderr } = await install(update)
    expect({ exitCode, last: stderr.trim().split('\n').at(-1) }).toEqual({
      exitCode: 2,
      last: `slipway: ${name}-1.1.0-linux-amd64-since-1.0.0.tar holds only what changed since Tiny Box 1.0.0, which this Engine does not have; install the full bundle of 1.1.0 instead.`,
    })
    expect(await onEngine()).toEqual([])
  })

  it('is taken up by the same command after SIGKILL while the image is loaded, and after that', async () => {
    const soon = (kill: () => Promise<void>): void => void setTimeout(kill, 20)
    const stages = [
      ['before', soon],
      ['after', (kill: () => Promise<void>) => kill()],
    ] as const
    for (const [when, harm] of stages) {
      await clear()
      const { signal } = await harmed(loading, when, harm)
      const again = await install(full)
      expect({ when, signal, code: again.exitCode, release: await release() }).toEqual({
        ...{ when, signal: 'SIGKILL', code: 0, release: '1.0.0' },
      })
    }
  })

  it('leaves no image on a disk that fills up while it is loaded; with room, the same command goes on', async () => {
    await clear()
    relay.watch({ before: async ({ what }) => (what === loading ? own.fillDisk(1 << 20) : undefined) })
    const outcome = lastLine(await install(full))
    relay.watch()
    expect(outcome).toEqual({
      exitCode: 1,
      said: expect.stringMatching(
        /^slipway: The Docker host's disk is full \(.*\); `docker system df` shows what fills it: make room, then run the same command again\.$/,
      ),
    })
    expect(await onEngine()).toEqual([])
    await own.freeDisk()
    expect([(await install(full)).exitCode, await release()]).toEqual([0, '1.0.0'])
  })

  it('leaves no image in an Engine that is killed while it is loaded; the same command goes on', async () => {
    await clear()
    let killed: Promise<void> | undefined
    relay.watch({
      before: ({ what }) => {
        if (what === loading) killed = sleep(20).then(() => own.kill())
      },
    })
    const cut = lastLine(await install(full))
    await killed
    expect(cut).toEqual({
      exitCode: 1,
      said: expect.stringMatching(/^slipway: .*Docker Engine.*then run the same command again\.$/),
    })
    await own.startAgain()
    relay.watch()
    expect(await onEngine()).toEqual([])
    expect([(await install(full)).exitCode, await release()]).toEqual([0, '1.0.0'])
  })

  it('plans nothing the second time', async () => {
    const { exitCode, stdout } = await install(full)
    expect([exitCode, stdout.split('\n')[0]]).toEqual([0, `${name} is as it should be; nothing was changed.`])
  })

  it('an update brings only what changed, by any of its parts', async () => {
    const since = await readBase(full, tinyKey)
    const update = await writeServiceBundle(scratch.path, {
      name,
      version: '1.1.0',
      ballast,
      since,
      split: 64 << 10,
    })
    const { exitCode, stderr } = await install(`${update}.001`)
    expect([exitCode, await release()]).toEqual([0, '1.1.0'])
    expect(stderr).toMatch(new RegExp(`load ${name}:1\\.1\\.0: \\d+ B sent, 1 of 2 layers were there`))
  })
})
