import type { ScriptRunner } from '../image/run/script-runner.ts'
import type { Context } from './context.ts'

/**
 * Runs maintainer scripts on the Engine that the environment names. Its code is loaded, and the Engine asked for, only
 * when a script must run.
 */
export function scriptRunner(env: Context['env']): ScriptRunner {
  return {
    run: async (request) => {
      const [{ connectEngine }, { engineRunner }] = await Promise.all([
        import('../engine/connect.ts'),
        import('../engine/script-runner.ts'),
      ])
      return engineRunner(() => connectEngine(env)).run(request)
    },
  }
}
