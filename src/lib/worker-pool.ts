import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { SlipwayError } from './errors.ts'

/** What a worker sends back; an error travels as its code and sentence. */
export type Reply<Result> =
  | { readonly result: Result }
  | { readonly error: { code: string; message: string } }

interface Job {
  readonly request: unknown
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

/**
 * Threads that answer requests, one at a time each, in the order they were asked. The module at `entry` calls
 * `serve` (worker-serve.ts). Closed pools and dead threads reject what is still open.
 */
export class WorkerPool {
  readonly #entry: URL
  readonly #limit: number
  readonly #waiting: Job[] = []
  readonly #idle: Worker[] = []
  readonly #running = new Map<Worker, Job>()

  constructor(entry: URL, limit = Math.min(8, availableParallelism())) {
    this.#entry = entry
    this.#limit = limit
  }

  /** `urgent` work goes before what waits: it frees memory that waiting work would add to. */
  run<Result>(request: unknown, urgent = false): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (urgent) this.#waiting.unshift({ request, resolve, reject })
      else this.#waiting.push({ request, resolve, reject })
      this.#next()
    })
  }

  /** Starts the threads before there is work, so that they load while the caller still reads. */
  warm(): void {
    while (this.#idle.length + this.#running.size < this.#limit) this.#idle.push(this.#start())
  }

  async close(
    reason: unknown = new SlipwayError('interrupted', 'Interrupted; nothing was left half-done.'),
  ): Promise<void> {
    for (const job of this.#waiting.splice(0)) job.reject(reason)
    const workers = [...this.#idle.splice(0), ...this.#running.keys()]
    for (const job of this.#running.values()) job.reject(reason)
    this.#running.clear()
    await Promise.all(workers.map((worker) => worker.terminate()))
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const free = this.#idle.pop() ?? (this.#running.size < this.#limit ? this.#start() : undefined)
      if (!free) return
      const job = this.#waiting.shift()!
      this.#running.set(free, job)
      free.ref()
      free.postMessage(job.request)
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#entry)
    worker.unref()
    worker.on('message', (reply: Reply<never>) => {
      const job = this.#running.get(worker)
      // Closed meanwhile: to let go of the thread now would end the process before `close` does.
      if (!job) return
      this.#running.delete(worker)
      worker.unref()
      this.#idle.push(worker)
      if ('error' in reply) job.reject(new SlipwayError(reply.error.code, reply.error.message))
      else job.resolve(reply.result)
      this.#next()
    })
    worker.on('error', (error) => {
      this.#running.get(worker)?.reject(error)
      this.#running.delete(worker)
      // One that could not even be loaded died before it had work.
      const place = this.#idle.indexOf(worker)
      if (place >= 0) this.#idle.splice(place, 1)
      this.#next()
    })
    return worker
  }
}
