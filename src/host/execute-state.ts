import type { Engine } from '../engine/engine.ts'
import { stateContainer } from './own-things.ts'
import { type StateDocument, withRelease, withStoredSetting } from './state-document.ts'
import { updateState } from './state-volume.ts'
import type { Step } from './step.ts'

/** A step that is only remembered. */
export type StateStep = Extract<Step, { action: 'store-setting' | 'record-release' }>

export function isStateStep(step: Step): step is StateStep {
  return step.action === 'store-setting' || step.action === 'record-release'
}

/**
 * Remembers what steps of one appliance say, in one go: each write takes the Engine a tenth of a second. Returns how to
 * take it back: then settings and history are what they were, and their container gone where there was none. `isEmpty` as in
 * `updateState`.
 */
export async function executeStateSteps(
  engine: Engine,
  steps: readonly StateStep[],
  options: { readonly isEmpty?: boolean } = {},
): Promise<() => Promise<void>> {
  const { appliance } = steps[0]!
  const at = new Date().toISOString()
  const change = (state: StateDocument): StateDocument =>
    steps.reduce(
      (document, step) =>
        step.action === 'store-setting'
          ? withStoredSetting(document, step.key, step.value)
          : withRelease(document, { at, ...step.record }),
      state,
    )
  const container = stateContainer(appliance)
  const isNew = (await engine.containers.inspect(container)) === undefined
  const takeBack = async (): Promise<void> => {
    if (isNew) await engine.containers.remove(container)
  }
  const before = await updateState(engine, appliance, change, options).catch(async (error: unknown) => {
    // Left there, it would hold the volume that is taken back next.
    await takeBack().catch(() => {})
    throw error
  })
  return async () => {
    // Nothing but what was remembered here: which reloads are due may have changed since.
    const { settings, history } = before
    await updateState(engine, appliance, (now) => ({ ...now, settings, history }))
    await takeBack()
  }
}
