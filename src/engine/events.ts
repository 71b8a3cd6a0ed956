import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { EngineEvent, EventQuery } from './engine.ts'

/** The Engine's events (one JSON document a line), until it ends them or the signal does. */
export async function* readEvents(
  docker: Docker,
  { since, until, labels = {}, signal }: EventQuery,
): AsyncGenerator<EngineEvent> {
  const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  const stream = (await docker.getEvents({
    ...(since !== undefined && { since: String(since) as unknown as number }),
    ...(until !== undefined && { until: String(until) as unknown as number }),
    filters: { label },
  })) as Readable
  const stop = (): void => void stream.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    if (!signal?.aborted) yield* parseEvents(stream)
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    stream.destroy()
  }
}

/** Lines of JSON, wherever the chunks are cut, as events. */
export async function* parseEvents(source: AsyncIterable<Uint8Array>): AsyncGenerator<EngineEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield readEvent(line)
  }
  if (rest.trim() !== '') yield readEvent(rest)
}

function readEvent(line: string): EngineEvent {
  const { Type, Action, Actor, time, timeNano } = JSON.parse(line)
  return {
    type: Type,
    action: Action,
    id: Actor?.ID ?? '',
    time: timeNano ? Math.floor(timeNano / 1e6) : time * 1000,
    attributes: Actor?.Attributes ?? {},
  }
}
