import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { SlipwayError } from '../lib/errors.ts'
import { readHealth } from './inspect.ts'

export interface Expectation {
  readonly service: string
  readonly name: string
  readonly hasHealthCheck: boolean
  /** Milliseconds. */
  readonly patience: number
}

/** How long a container without a health check must stay up, and how often one is looked at; milliseconds. */
const settleTime = 500
const pollInterval = 50

/**
 * Waits until a started container is healthy. Throws `not-healthy`, with the last words of its check or its log, when
 * it ends, restarts again and again, is declared unhealthy, or `patience` is over.
 */
export async function waitHealthy(
  engine: Engine,
  expected: Expectation,
  signal?: AbortSignal,
): Promise<void> {
  const began = Date.now()
  for (;;) {
    const document = await engine.containers.inspect(expected.name)
    const elapsed = Date.now() - began
    if (document && isWell(document, expected, elapsed)) return
    const trouble = troubleOf(document, expected, elapsed)
    if (trouble) throw await notHealthy(engine, expected, document, trouble)
    await sleep(pollInterval, undefined, signal ? { signal } : {})
  }
}

function isWell(document: ContainerDocument, { hasHealthCheck }: Expectation, elapsed: number): boolean {
  if (!document.State.Running || document.State.Restarting) return false
  return hasHealthCheck ? readHealth(document) === 'healthy' : elapsed >= settleTime
}

function troubleOf(
  document: ContainerDocument | undefined,
  { patience }: Expectation,
  elapsed: number,
): string | undefined {
  if (!document) return 'it was removed while it started'
  const { State } = document
  if (State.OOMKilled && !State.Running) return 'it ran out of memory'
  if (State.Status === 'exited' || State.Status === 'dead') return `it ended with exit code ${State.ExitCode}`
  if (document.RestartCount >= 3)
    return `it ended ${document.RestartCount} times, at last with exit code ${State.ExitCode}`
  if (readHealth(document) === 'unhealthy') return 'its health check failed'
  if (elapsed > patience) return `it was not healthy after ${Math.round(patience / 1000)} s`
  return undefined
}

async function notHealthy(
  engine: Engine,
  { service, name }: Expectation,
  document: ContainerDocument | undefined,
  trouble: string,
): Promise<SlipwayError> {
  const check = document?.State.Health?.Log?.at(-1)?.Output.trim()
  const logs = document ? await engine.containers.logs(name, 5).catch(() => '') : ''
  const words = (lastLine(check ?? '') || lastLine(logs)).slice(0, 300)
  const said = words ? `; its last words: ${words}` : ''
  return new SlipwayError('not-healthy', `The service ${service} did not come up: ${trouble}${said}.`)
}

function lastLine(text: string): string {
  return text.trim().split(/\r?\n/).at(-1)?.trim() ?? ''
}
