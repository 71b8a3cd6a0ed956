import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { dropHelperImage } from '../../src/host/helper-image.ts'
import { ownLabels, roles } from '../../src/host/labels.ts'
import { withMutex } from '../../src/host/mutex.ts'
import { mutexContainer } from '../../src/host/own-things.ts'
import { createHelper } from '../../src/host/state-volume.ts'
import { SlipwayError } from '../../src/lib/errors.ts'
import { type ProgressEvent, silent } from '../../src/lib/progress.ts'
import { repository } from '../support/slipway.ts'

const name = `slipway-test-mutex-${process.pid}`
const container = mutexContainer(name)
let engine: Engine

beforeAll(async () => {
  engine = await connectEngine()
})
afterEach(async () => {
  if (await engine.containers.inspect(container)) await engine.containers.remove(container)
})
afterAll(() => dropHelperImage(engine))

/** A run of another process that has taken the mutex and would keep it for a minute. */
async function holder(): Promise<ChildProcess> {
  const load = (file: string): string =>
    `await import(${JSON.stringify(pathToFileURL(path.join(repository, 'dist', file)).href)})`
  const script = `
    const { connectEngine } = ${load('engine/connect.js')}
    const { withMutex } = ${load('host/mutex.js')}
    await withMutex(await connectEngine(), ${JSON.stringify(name)}, 'install', () => {}, async () => {
      console.log('holds')
      await new Promise((resolve) => setTimeout(resolve, 60_000))
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function caught(action: Promise<unknown>) {
  const error = await action.then(
    () => undefined,
    (thrown: SlipwayError) => thrown,
  )
  return { code: error?.code, exitCode: error?.exitCode, message: error?.message }
}

function take(work: () => Promise<unknown> = async () => {}, notes: ProgressEvent[] = []) {
  return withMutex(
    engine,
    name,
    'reset',
    (event) => void notes.push(event),
    async (mutex) => {
      await mutex.check()
      await work()
    },
  )
}

describe('the mutex of an appliance', () => {
  it('is there while the work is done and gone after it, also when the work fails', async () => {
    await take(async () => expect((await engine.containers.inspect(container))?.State.Status).toBe('created'))
    expect(await engine.containers.inspect(container)).toBeUndefined()
    expect(await caught(take(() => Promise.reject(new Error('no'))))).toMatchObject({ message: 'no' })
    expect(await engine.containers.inspect(container)).toBeUndefined()
  })

  it('sends a second run away with exit code 6, naming the holder and since when', async () => {
    const other = await holder()
    try {
      expect(await caught(take())).toEqual({
        code: 'busy',
        exitCode: 6,
        message: expect.stringMatching(
          new RegExp(
            `^Another run is at work on ${name}: install, by \\S+ on \\S+ \\(process ${other.pid}\\), since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC \\(\\d+ s ago\\); run the same command again when it is done\\.$`,
          ),
        ),
      })
      await expect(withMutex(engine, `${name}-other`, 'reset', silent, async () => 'free')).resolves.toBe(
        'free',
      )
    } finally {
      await kill(other)
    }
  })

  it('is taken over, with a note, from a run that was killed; of several takers one gets it', async () => {
    const other = await holder()
    await kill(other)
    const notes: ProgressEvent[] = []
    let working = 0
    let ended = 0
    let letGo = (): void => {}
    const othersEnded = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const results = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const result = await caught(
          take(async () => {
            working++
            expect(working).toBe(1)
            await othersEnded
            working--
          }, notes),
        )
        if (++ended === 3) letGo()
        return result
      }),
    )
    expect(results.map(({ code }) => code).sort()).toEqual(['busy', 'busy', 'busy', undefined])
    // Of two that remove the same container at once, Engine 26.1 tells both that they did.
    const takingOver = {
      type: 'note',
      text: expect.stringMatching(/^Taking over from install, by .*: its process has ended\.$/),
    }
    expect(notes.length).toBeGreaterThan(0)
    expect(notes).toEqual(notes.map(() => takingOver))
  })

  it('is kept beyond its lease by a holder that lives', async () => {
    const timing = { lease: 4000, heartbeat: 300 }
    let asked = 0
    await withMutex(
      engine,
      name,
      'install',
      silent,
      async (mutex) => {
        for (const until = Date.now() + 6000; Date.now() < until; asked++) {
          const other = withMutex(engine, name, 'reset', silent, async () => {}, timing)
          expect(await caught(other)).toMatchObject({ code: 'busy', exitCode: 6 })
          await mutex.check()
        }
      },
      timing,
    )
    expect(asked).toBeGreaterThan(1)
    expect(await engine.containers.inspect(container)).toBeUndefined()
  })

  it('goes to the next run when its holder is not heard of for the lease, and the holder may change nothing', async () => {
    const timing = { lease: 800, heartbeat: 200 }
    const putArchive = async (): Promise<never> => {
      throw new SlipwayError('engine-gone', 'The Docker Engine closed the connection.')
    }
    // Cut off from the Engine while it is paused in the middle of its work.
    const cut = Object.create(engine, {
      containers: { value: { ...engine.containers, putArchive } },
    }) as Engine
    const notes: ProgressEvent[] = []
    await withMutex(
      cut,
      name,
      'install',
      silent,
      async (mutex) => {
        await mutex.check()
        await new Promise((resolve) => setTimeout(resolve, 1500))
        await withMutex(
          engine,
          name,
          'reset',
          (event) => void notes.push(event),
          async (other) => {
            expect(await caught(mutex.check())).toEqual({
              code: 'mutex-lost',
              exitCode: 1,
              message: expect.stringMatching(
                /^Another run may have taken over \S+, since this one was not heard of/,
              ),
            })
            await other.check()
          },
          timing,
        )
      },
      timing,
    )
    expect(notes).toMatchObject([
      {
        type: 'note',
        text: expect.stringMatching(/^Taking over from install, by .*: it has not been heard of since /),
      },
    ])
  })

  it('is lost for good where its container is gone, as the next renewal finds', async () => {
    const timing = { lease: 60_000, heartbeat: 100 }
    await withMutex(
      engine,
      name,
      'install',
      silent,
      async (mutex) => {
        await engine.containers.remove(container)
        await new Promise((resolve) => setTimeout(resolve, 500))
        expect(await caught(mutex.check())).toMatchObject({ code: 'mutex-lost' })
      },
      timing,
    )
  })

  it('that another run has taken over is not removed by the one that lost it', async () => {
    const stolen = withMutex(engine, name, 'reset', silent, async () => {
      await engine.containers.remove(container)
      await createHelper(engine, container, {
        Labels: { [ownLabels.role]: roles.mutex },
        HostConfig: { NetworkMode: 'none' },
      })
    })
    await stolen
    expect((await engine.containers.inspect(container))?.Name).toBe(`/${container}`)
    expect(await caught(take())).toMatchObject({
      code: 'busy',
      message: expect.stringMatching(/^Another run is at work on \S+: an unknown run, since /),
    })
  })

  it('is not a stranger’s container of that name', async () => {
    await createHelper(engine, container, { Labels: {}, HostConfig: { NetworkMode: 'none' } })
    expect(await caught(take())).toEqual({
      code: 'name-taken',
      exitCode: 3,
      message: `The container ${container} exists on this host and is not of the appliance ${name}; remove or rename it, or choose another --name.`,
    })
  })
})
