import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { SlipwayError } from '../lib/errors.ts'
import { plainText } from '../lib/plain-text.ts'
import { runCheck } from './health-check.ts'
import { readHealth } from './inspect.ts'

export interface Expectation {
  readonly service: string
  readonly name: string
  readonly hasHealthCheck: boolean
  /** Milliseconds. */
  readonly patience: number
}

/** How long a container without a health check must stay up; milliseconds. */
const settleTime = 500
/** Between two looks: at least the one, and as long as the check itself took up to the other; milliseconds. */
const shortestPause = 50
const longestPause = 200

/**
 * Waits until a started container is healthy: its own health check, run in it at once and again and again, has passed.
 * The Engine would run it for the first time when a whole interval is over, seconds after the service serves, and for
 * so long whoever resets it would stare at a service that is long up. What the Engine finds counts as well where it is
 * bad, and alone where the check cannot be run from here or does not end in its time. Of a container without a check:
 * that it stays up. That it is healthy says nothing of later: then its restart policy and `status` watch it.
 *
 * Throws `not-healthy`, with the last words of its check or its log, when it ends, restarts again and again, is
 * declared unhealthy, or `patience` is over.
 */
export async function waitHealthy(
  engine: Engine,
  expected: Expectation,
  signal?: AbortSignal,
): Promise<void> {
  const began = Date.now()
  let mayAsk = expected.hasHealthCheck
  let said = ''
  for (;;) {
    const document = await engine.containers.inspect(expected.name)
    const isUp = document?.State.Running && !document.State.Restarting
    const asked = Date.now()
    let passed: boolean | undefined
    if (isUp && mayAsk && readHealth(document) !== 'unhealthy') {
      const answer = await runCheck(engine, document, signal ? { signal } : {})
      passed = answer.passed
      said = answer.said || said
      // What hangs is not started again and again: the Engine ends its own, and nobody could end ours.
      mayAsk = !answer.late
    }
    const now = Date.now()
    if (isUp && (passed ?? isWell(document, expected, now - began))) return
    const trouble = troubleOf(document, expected, now - began)
    if (trouble) throw await notHealthy(engine, expected, document, trouble, said)
    const pause = Math.min(Math.max(now - asked, shortestPause), longestPause)
    await sleep(pause, undefined, signal ? { signal } : {})
  }
}

/** Where its check was not run from here. */
function isWell(document: ContainerDocument, { hasHealthCheck }: Expectation, elapsed: number): boolean {
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
  said: string,
): Promise<SlipwayError> {
  const check = document?.State.Health?.Log?.at(-1)?.Output.trim() || said || ''
  const logs = document ? await engine.containers.logs(name, 5).catch(() => '') : ''
  // Of a service that ends, its log says why; a check that found nobody there does not.
  const ended = !document?.State.Running || document.RestartCount > 0
  const sources = ended ? [logs, check] : [check, logs]
  const words = plainText((sources.map(lastLine).find((line) => line !== '') ?? '').slice(0, 300))
  const last = words ? `; its last words: ${words.replace(/\.$/, '')}` : ''
  return new SlipwayError('not-healthy', `The service ${service} did not come up: ${trouble}${last}.`)
}

function lastLine(text: string): string {
  return text.trim().split(/\r?\n/).at(-1)?.trim() ?? ''
}
