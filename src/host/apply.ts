import { errorCode, exitCodes, SlipwayError } from '../lib/errors.ts'
import { mapParallel } from '../lib/parallel.ts'
import { batchesOf } from './batches.ts'
import { describeStep } from './describe-step.ts'
import { executeStateSteps, isStateStep } from './execute-state.ts'
import { type Execution, executeStep } from './execute-step.ts'
import { stateVolume } from './own-things.ts'
import { isIrreversible, type Step } from './step.ts'
import type { Undo } from './undo.ts'

interface Done {
  readonly step: Step
  readonly undo: Undo | undefined
}

/**
 * Does the steps of a plan, each reported. When one fails, what was done is taken back in reverse: exit code 1, or 5 where containers that had been stopped serve again. Past the first step that
 * nothing can take back it stops where it is and says what stands: exit code 4, and the same command finishes it.
 */
export async function applyPlan(steps: readonly Step[], execution: Execution): Promise<void> {
  const done: Done[] = []
  for (const batch of batchesOf(steps)) {
    try {
      execution.signal?.throwIfAborted()
      await execution.check?.()
      await execute(batch, execution, done)
    } catch (error) {
      throw await explainFailure(error, steps, done, execution)
    }
  }
  await forgetAll(done)
}

async function forgetAll(done: readonly Done[]): Promise<void> {
  for (const { undo } of done) await undo?.forget?.()
}

/** Adds what is done to `done`. */
async function execute(batch: readonly Step[], execution: Execution, done: Done[]): Promise<void> {
  if (!batch.every(isStateStep)) {
    // The first that fails ends the waiting for the others.
    const undos = await mapParallel(
      batch,
      { limit: batch.length, signal: execution.signal },
      (step, signal) => reported(step, { ...execution, signal }),
    )
    done.push(...batch.map((step, index) => ({ step, undo: undos[index] })))
    return
  }
  const tasks = batch.map(describeStep)
  for (const task of tasks) execution.report({ type: 'start', task })
  const isEmpty = hasMadeVolume(done, stateVolume(batch[0]!.appliance).name)
  const undo = await executeStateSteps(execution.engine, batch, { isEmpty })
  for (const task of tasks) execution.report({ type: 'finish', task })
  done.push(...batch.map((step, index) => ({ step, undo: index === 0 ? undo : undefined })))
}

/** Whether this run made a volume, did not find it there, and has only waited since. */
function hasMadeVolume(done: readonly Done[], name: string): boolean {
  const last = done.findLast(({ step }) => step.action !== 'wait-healthy')
  return last?.step.action === 'create-volume' && last.step.volume.name === name && last.undo !== undefined
}

async function reported(step: Step, execution: Execution): Promise<Undo | undefined> {
  if (step.action === 'load-image') return executeStep(step, execution)
  const task = describeStep(step)
  execution.report({ type: 'start', task })
  const undo = await executeStep(step, execution)
  execution.report({ type: 'finish', task })
  return undo
}

async function explainFailure(
  error: unknown,
  steps: readonly Step[],
  done: readonly Done[],
  execution: Execution,
): Promise<SlipwayError> {
  const interrupted = execution.signal?.aborted === true
  const code = interrupted ? 'interrupted' : (errorCode(error) ?? 'failed')
  const said = interrupted ? 'Interrupted.' : error instanceof Error ? error.message : String(error)
  const open = steps.filter((step) => !done.some((one) => one.step === step))
  if (handsOff.has(code)) {
    if (done.length === 0 && code === 'mutex-lost') return error as SlipwayError
    return partly(`${said} ${standing(open, done)}`, code, error)
  }
  if (done.some(({ step }) => isIrreversible(step)) || isIrreversible(open[0]!)) {
    await forgetAll(done)
    return partly(`${said} ${standing(open, done)}`, code, error)
  }
  const stands = await undoAll(done, execution)
  if (stands.length > 0) {
    const text = `Undoing it failed as well, and this stands: ${stands.join('; ')}; the same command again finishes or repairs it.`
    return partly(`${said} ${text}`, code, error)
  }
  const putBack = done.some(({ step }) => step.action === 'stop-container')
  if (putBack) {
    return new SlipwayError(code, `${said} The former containers serve again; nothing else was changed.`, {
      exitCode: exitCodes.rolledBack,
      cause: error,
    })
  }
  if (done.some(({ undo }) => undo)) {
    return new SlipwayError(code, `${said} What had been made was removed again.`, { cause: error })
  }
  if (interrupted) return new SlipwayError(code, 'Interrupted; nothing was changed.', { cause: error })
  return error instanceof SlipwayError ? error : new SlipwayError(code, said, { cause: error })
}

/** Where the Engine went away, or another run has taken over, nobody here can or may take anything back. */
const handsOff: ReadonlySet<string> = new Set(['engine-gone', 'no-engine', 'mutex-lost'])

function standing(open: readonly Step[], done: readonly Done[]): string {
  const list = (some: readonly Step[]): string => some.map(describeStep).join(', ') || 'nothing'
  return `Done so far: ${list(done.map(({ step }) => step))}. Still to do: ${list(open)}; the same command again finishes it.`
}

function partly(message: string, code: string, cause: unknown): SlipwayError {
  return new SlipwayError(code, message, { exitCode: exitCodes.partlyApplied, cause })
}

/** Takes everything back, last first; returns in words what could not be. */
async function undoAll(done: readonly Done[], execution: Execution): Promise<string[]> {
  const undoable = [...done].reverse().filter(({ undo }) => undo)
  const failed = await undoEach(undoable, execution)
  // On a full disk nothing starts again before what had been made is removed.
  const stands =
    failed.length < undoable.length
      ? await undoEach(
          failed.map(({ one }) => one),
          execution,
        )
      : failed
  return stands.map(({ one, error }) => {
    const why = error instanceof Error ? error.message : String(error)
    return `${describeStep(one.step)} (${why})`
  })
}

async function undoEach(
  done: readonly Done[],
  { report }: Execution,
): Promise<{ readonly one: Done; readonly error: unknown }[]> {
  const failed: { one: Done; error: unknown }[] = []
  for (const one of done) {
    try {
      await one.undo?.()
      report({ type: 'note', text: `undone: ${describeStep(one.step)}` })
    } catch (error) {
      failed.push({ one, error })
    }
  }
  return failed
}
