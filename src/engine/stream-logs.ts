import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { LogQuery, OutputChunk } from './containers-port.ts'
import { readFrames } from './output.ts'

/** A container's log as it comes; ends with it, with the container (`follow`) or with the signal. */
export async function* streamLogs(
  container: Docker.Container,
  { lines, since, until, timestamps = false, follow = false, signal }: LogQuery,
): AsyncGenerator<OutputChunk> {
  const query = {
    stdout: true,
    stderr: true,
    timestamps,
    ...(lines !== undefined && { tail: lines }),
    ...(since !== undefined && { since: since as number }),
    ...(until !== undefined && { until }),
  }
  if (!follow) {
    yield* readFrames(Readable.from([await container.logs({ ...query, follow: false })]))
    return
  }
  const stream = (await container.logs({ ...query, follow: true })) as Readable
  // The end of the watching, not an error of the log.
  const stop = (): void => void stream.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    if (!signal?.aborted) yield* readFrames(stream)
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    stream.destroy()
  }
}
