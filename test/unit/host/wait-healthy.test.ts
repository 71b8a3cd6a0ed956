import { describe, expect, it } from 'vitest'
import type { ExecResult } from '../../../src/engine/containers-port.ts'
import type { ContainerDocument } from '../../../src/engine/documents.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { checkCommand, runCheck, withFreshHealth } from '../../../src/host/health-check.ts'
import { waitHealthy } from '../../../src/host/wait-healthy.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'

type State = Partial<ContainerDocument['State']>

const check = { Test: ['CMD', '/check', 'it'], Timeout: 3e9 }

function container(state: State = {}, more: object = {}): ContainerDocument {
  const State = {
    Running: true,
    Restarting: false,
    Status: 'running',
    OOMKilled: false,
    ExitCode: 0,
    ...state,
  }
  return {
    Id: 'a',
    RestartCount: 0,
    Config: { Healthcheck: check },
    State,
    ...more,
  } as unknown as ContainerDocument
}

const starting: State = { Health: { Status: 'starting', FailingStreak: 0, Log: [] } }

/** Shows the documents one after the other, and answers each check with the next answer; the last ones stay. */
function engineOf(
  documents: readonly (ContainerDocument | Error | undefined)[],
  answers: readonly (Partial<ExecResult> | Error)[] = [],
) {
  const asked: unknown[] = []
  let looks = 0
  const engine = {
    containers: {
      inspect: async () => {
        const document = documents[Math.min(looks++, documents.length - 1)]
        if (document instanceof Error) throw document
        return document
      },
      logs: async () => 'a line\nits last line\n',
      exec: async (name: string, command: readonly string[], { timeout }: { timeout: number }) => {
        const answer = answers[Math.min(asked.length, answers.length - 1)]!
        asked.push([name, command, timeout])
        if (answer instanceof Error) throw answer
        return { exitCode: 0, stdout: '', stderr: '', ...answer }
      },
    },
  } as unknown as Engine
  return { engine, asked }
}

const expected = { service: 'dns', name: 'acme-dns-1', hasHealthCheck: true, patience: 60_000 }

async function outcome(
  { engine, asked }: ReturnType<typeof engineOf>,
  wanted: Partial<typeof expected> = {},
): Promise<unknown> {
  const error = await waitHealthy(engine, { ...expected, ...wanted }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { said: error instanceof SlipwayError ? error.message : error, asked: asked.length }
}

it('the last words of a service cannot steer a terminal', async () => {
  const ended = engineOf([container({ Running: false, Status: 'exited', ExitCode: 1 })])
  Object.assign(ended.engine.containers, { logs: async () => 'GET http://x/\x1b[2J\x07\n' })
  expect(await outcome(ended)).toMatchObject({
    said: 'The service dns did not come up: it ended with exit code 1; its last words: GET http://x/\ufffd[2J\ufffd.',
  })
})

describe('the command of a health check', () => {
  it.each([
    [{ Healthcheck: { Test: ['CMD', '/check', 'it'] } }, ['/check', 'it']],
    [{ Healthcheck: { Test: ['CMD-SHELL', 'a && b'] } }, ['/bin/sh', '-c', 'a && b']],
    [{ Healthcheck: { Test: ['CMD-SHELL', 'a'] }, Shell: ['/bin/bash', '-ec'] }, ['/bin/bash', '-ec', 'a']],
    [{ Healthcheck: { Test: ['NONE'] } }, undefined],
    [{ Healthcheck: { Test: ['CMD'] } }, undefined],
    [{}, undefined],
  ])('%j', (Config, command) => {
    expect(checkCommand({ Config } as unknown as ContainerDocument)).toEqual(command)
  })

  it('has its own time limit, or that of the one who asks where that is shorter', async () => {
    const { engine, asked } = engineOf([], [{}])
    await runCheck(engine, container())
    await runCheck(engine, container(), { limit: 1000 })
    await runCheck(engine, container(), { limit: 5000 })
    expect(asked).toEqual([3000, 1000, 3000].map((timeout) => ['a', ['/check', 'it'], timeout]))
  })
})

describe('waiting until a service is healthy', () => {
  it('asks its own check at once, and is done while the Engine still says "starting"', async () => {
    expect(await outcome(engineOf([container(starting)], [{}]))).toEqual({ said: undefined, asked: 1 })
  })

  it('asks again until the check passes', async () => {
    const engine = engineOf([container(starting)], [{ exitCode: 1 }, { exitCode: 1 }, {}])
    expect(await outcome(engine)).toEqual({ said: undefined, asked: 3 })
  })

  it('asks again where the line to its check was cut', async () => {
    const cut = new SlipwayError('engine-gone', 'The Docker Engine closed the connection in the middle.')
    expect(await outcome(engineOf([container(starting)], [cut, {}]))).toEqual({ said: undefined, asked: 2 })
  })

  it('goes by the check that fails now, not by what the Engine found before', async () => {
    const engine = engineOf(
      [container({ Health: { Status: 'healthy', FailingStreak: 0 } })],
      [{ exitCode: 1 }, {}],
    )
    expect(await outcome(engine)).toEqual({ said: undefined, asked: 2 })
  })

  it('ends where the Engine says unhealthy, with the last words of its check', async () => {
    const Health = { Status: 'unhealthy', FailingStreak: 3, Log: [{ ExitCode: 1, Output: 'no answer\n' }] }
    const engine = engineOf([container(starting), container({ Health })], [{ exitCode: 1 }])
    expect(await outcome(engine)).toEqual({
      said: 'The service dns did not come up: its health check failed; its last words: no answer.',
      asked: 1,
    })
  })

  it('ends when patience is over, with the last words of the check that was run', async () => {
    const engine = engineOf([container(starting)], [{ exitCode: 1, stdout: 'still loading.\n' }])
    expect(await outcome(engine, { patience: -1 })).toEqual({
      said: 'The service dns did not come up: it was not healthy after 0 s; its last words: still loading.',
      asked: 1,
    })
  })

  it.each([
    ['it ended with exit code 3', container({ Running: false, Status: 'exited', ExitCode: 3 })],
    ['it ran out of memory', container({ Running: false, Status: 'exited', OOMKilled: true })],
    [
      'it ended 3 times, at last with exit code 1',
      container({ Restarting: true, ExitCode: 1 }, { RestartCount: 3 }),
    ],
  ])('ends when %s, and asks nothing of what does not run', async (trouble, document) => {
    expect(await outcome(engineOf([document]))).toEqual({
      said: `The service dns did not come up: ${trouble}; its last words: its last line.`,
      asked: 0,
    })
  })

  it('ends when the container is removed meanwhile', async () => {
    expect(await outcome(engineOf([container(starting), undefined], [{ exitCode: 1 }]))).toEqual({
      said: 'The service dns did not come up: it was removed while it started.',
      asked: 1,
    })
  })

  it('leaves it to the Engine where a check hangs, and starts none beside it', async () => {
    const late = new SlipwayError('exec-timeout', 'too long')
    const healthy = container({ Health: { Status: 'healthy', FailingStreak: 0 } })
    const engine = engineOf([container(starting), container(starting), healthy], [late])
    expect(await outcome(engine)).toEqual({ said: undefined, asked: 1 })
  })

  it('goes by the Engine where it lets nobody in', async () => {
    const refused = new SlipwayError('engine-refused', 'exec is not allowed here')
    const healthy = container({ Health: { Status: 'healthy', FailingStreak: 0 } })
    expect(await outcome(engineOf([container(starting), healthy], [refused]))).toEqual({
      said: undefined,
      asked: 2,
    })
  })

  it('tells of an Engine that went away', async () => {
    const gone = new SlipwayError('engine-gone', 'The Engine closed the connection.')
    expect(await outcome(engineOf([container(starting), gone], [gone]))).toEqual({
      said: gone.message,
      asked: 1,
    })
  })

  it('of a service without a check means that it stays up for half a second', async () => {
    const began = performance.now()
    expect(await outcome(engineOf([container()]), { hasHealthCheck: false })).toEqual({
      said: undefined,
      asked: 0,
    })
    expect(performance.now() - began).toBeGreaterThanOrEqual(499)
  })
})

describe('a container that has just started', () => {
  it('is shown as its own check finds it, with what that said', async () => {
    const { engine } = engineOf([], [{ stdout: 'fine; cache 1 of 2 bytes\n' }])
    const { Health } = (await withFreshHealth(engine, container(starting))).State
    const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT/)
    expect(Health).toEqual({
      Status: 'healthy',
      FailingStreak: 0,
      Log: [{ Start: instant, End: instant, ExitCode: 0, Output: 'fine; cache 1 of 2 bytes\n' }],
    })
  })

  it('stays "starting" while its check fails', async () => {
    const document = container(starting)
    expect(await withFreshHealth(engineOf([], [{ exitCode: 1 }]).engine, document)).toBe(document)
  })

  it.each([
    container({ Health: { Status: 'unhealthy', FailingStreak: 3 } }),
    container({ Health: { Status: 'healthy', FailingStreak: 0 } }),
    container({ ...starting, Running: false }),
    container(),
  ])('alone is asked: %#', async (document) => {
    const { engine, asked } = engineOf([], [{}])
    expect(await withFreshHealth(engine, document)).toBe(document)
    expect(asked).toEqual([])
  })
})
