import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { errorCode } from '../lib/errors.ts'

/** What came of running a container's health check. */
export interface CheckAnswer {
  /** Undefined: it could not be asked, so that only the Engine can tell. */
  readonly passed?: boolean
  /** It had not ended in its time, and may still run. */
  readonly late: boolean
  readonly said: string
}

/** The Engine's own default; milliseconds. */
const defaultTimeout = 30_000
/** How long who only looks waits for an answer: what our own services have for it, on a busy host too; milliseconds. */
const glance = 3000

/** The command of a container's health check, as an exec takes it; undefined where there is none. */
export function checkCommand({ Config }: Pick<ContainerDocument, 'Config'>): string[] | undefined {
  const [kind, ...command] = Config.Healthcheck?.Test ?? []
  if (command.length === 0) return undefined
  if (kind === 'CMD') return command
  if (kind === 'CMD-SHELL') return [...(Config.Shell ?? ['/bin/sh', '-c']), ...command]
  return undefined
}

/**
 * Runs a container's health check in it now, as the Engine does: as its user, in its environment, with its time limit.
 * Throws only where `signal` says so: whether the Engine is away is told by the next question.
 */
export async function runCheck(
  engine: Engine,
  document: ContainerDocument,
  { limit, signal }: { readonly limit?: number; readonly signal?: AbortSignal } = {},
): Promise<CheckAnswer> {
  const command = checkCommand(document)
  if (!command) return { late: false, said: '' }
  const own = (document.Config.Healthcheck?.Timeout || defaultTimeout * 1e6) / 1e6
  const timeout = Math.min(own, limit ?? own)
  try {
    const answer = await engine.containers.exec(document.Id, command, {
      timeout,
      ...(signal && { signal }),
    })
    return { passed: answer.exitCode === 0, late: false, said: answer.stdout || answer.stderr }
  } catch (error) {
    signal?.throwIfAborted()
    // It just ended, the line was cut, or the Engine lets nobody in.
    return { late: errorCode(error) === 'exec-timeout', said: '' }
  }
}

/**
 * A container as the Engine would show it had it looked just now. An Engine looks for the first time when a whole
 * interval is over, and calls a service "starting" for as long; here its own check says whether it is.
 */
export async function withFreshHealth(
  engine: Engine,
  document: ContainerDocument,
): Promise<ContainerDocument> {
  const { State } = document
  if (!State.Running || State.Health?.Status !== 'starting') return document
  const Start = new Date().toISOString()
  const { passed, said } = await runCheck(engine, document, { limit: glance })
  if (!passed) return document
  const last = { Start, End: new Date().toISOString(), ExitCode: 0, Output: said }
  const Log = [...(State.Health.Log ?? []), last]
  return { ...document, State: { ...State, Health: { Status: 'healthy', FailingStreak: 0, Log } } }
}
