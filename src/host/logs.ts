import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerSummary } from '../engine/containers-port.ts'
import type { Engine } from '../engine/engine.ts'
import { ownLabels } from './labels.ts'
import { justAfter, type LogLine, mergeLines, readLines } from './log-lines.ts'

export interface LogRequest {
  /** Absent: all services. */
  readonly service?: string
  /** The last so many of each service; absent: all. */
  readonly lines?: number
  /** Seconds since 1970, by the Engine's clock. */
  readonly since?: number
}

/** Milliseconds between two looks for containers that came back or were made anew. */
const lookInterval = 1000

/** What the services of an appliance wrote, in the order of time. */
export async function readLogs(engine: Engine, name: string, request: LogRequest): Promise<LogLine[]> {
  const containers = await serviceContainers(engine, name, request.service)
  const { lines, since } = request
  const query = {
    timestamps: true,
    ...(lines !== undefined && { lines }),
    ...(since !== undefined && { since }),
  }
  const logs = containers.map(async (one) => {
    const log: LogLine[] = []
    for await (const line of readLines(engine.containers.streamLogs(one.id, query), serviceOf(one)))
      log.push(line)
    return log
  })
  return mergeLines(await Promise.all(logs))
}

/**
 * Gives `take` what has been written, in the order of time, and then each line as it comes, until `signal`. A service
 * that starts again, or whose container is made anew, is followed on; no line comes twice.
 */
export async function followLogs(
  engine: Engine,
  name: string,
  request: LogRequest,
  take: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const began = (await engine.info()).time
  const past = await readLogs(engine, name, request)
  for (const line of past) take(line)
  const last = new Map(past.filter(({ at }) => at !== '').map(({ service, at }) => [service, at]))
  const followed = new Map<string, Promise<void>>()
  const ended = new AbortController()
  const stop = (): void => ended.abort()
  signal.addEventListener('abort', stop, { once: true })
  const follow = async (one: ContainerSummary): Promise<void> => {
    const service = serviceOf(one)
    const since = justAfter(last.get(service) ?? began)
    const query = { timestamps: true, follow: true, since, signal: ended.signal }
    try {
      for await (const line of readLines(engine.containers.streamLogs(one.id, query), service)) {
        if (line.at !== '') last.set(service, line.at)
        take(line)
      }
    } finally {
      followed.delete(one.id)
    }
  }
  try {
    while (!signal.aborted) {
      for (const one of await serviceContainers(engine, name, request.service)) {
        if (one.state !== 'running' || followed.has(one.id)) continue
        const following = follow(one)
        // A container that was removed ends its log with an error; the next look finds its successor.
        following.catch(() => {})
        followed.set(one.id, following)
      }
      await sleep(lookInterval, undefined, { signal }).catch(() => {})
    }
  } finally {
    // Where the Engine no longer tells what is there, a log that is still open would keep the program for ever.
    stop()
    signal.removeEventListener('abort', stop)
  }
  await Promise.allSettled(followed.values())
}

async function serviceContainers(
  engine: Engine,
  name: string,
  service: string | undefined,
): Promise<ContainerSummary[]> {
  const containers = await engine.containers.list({ [ownLabels.appliance]: name })
  return containers.filter(
    (one) =>
      one.labels[ownLabels.role] === undefined && (service === undefined || serviceOf(one) === service),
  )
}

function serviceOf({ labels }: ContainerSummary): string {
  return labels[ownLabels.component] ?? ''
}
