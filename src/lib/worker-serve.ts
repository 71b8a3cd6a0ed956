import { parentPort } from 'node:worker_threads'
import { errorCode } from './errors.ts'
import type { Reply } from './worker-pool.ts'

/** Answers the requests of a WorkerPool in this thread. */
export function serve<Request, Result>(answer: (request: Request) => Promise<Result>): void {
  parentPort?.on('message', async (request: Request) => {
    let reply: Reply<Result>
    try {
      reply = { result: await answer(request) }
    } catch (error) {
      reply = {
        error: {
          code: errorCode(error) ?? 'unexpected',
          message: error instanceof Error ? error.message : String(error),
        },
      }
    }
    parentPort?.postMessage(reply)
  })
}
