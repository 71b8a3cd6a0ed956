import type { Engine } from '../engine/engine.ts'
import { dropHelperImage } from '../host/helper-image.ts'
import { type Mutex, withMutex } from '../host/mutex.ts'
import type { Context } from './context.ts'

/**
 * Does what changes an appliance: no other run changes it meanwhile, and Ctrl-C leaves time to take back. Give the
 * mutex's `check` to `applyPlan`; what the plan stands on must have been read in `work`, not before.
 */
export async function changeHost<T>(
  context: Context,
  engine: Engine,
  name: string,
  verb: string,
  work: (mutex: Mutex) => Promise<T>,
): Promise<T> {
  const release = context.hold?.()
  try {
    return await withMutex(engine, name, verb, context.report, work)
  } catch (error) {
    // What a first install that failed made is removed again, the helpers' image too.
    await dropHelperImage(engine).catch(() => {})
    throw error
  } finally {
    release?.()
  }
}
