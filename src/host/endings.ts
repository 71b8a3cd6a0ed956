import type { ContainerSummary } from '../engine/containers-port.ts'
import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'

/** One end of a service's container. */
export interface Ending {
  /** ISO 8601, by the Engine's clock. */
  readonly at: string
  readonly exitCode?: number
  /** The kernel ended it, or a process in it, for want of memory. */
  readonly outOfMemory: boolean
}

/** So many are kept of each container. */
const longest = 20

/**
 * The ends of containers that the Engine's events tell of, by container ID, oldest first. An Engine keeps its last 256
 * events and health checks are events too, so that this goes back minutes or hours, not days.
 */
export async function readEndings(
  engine: Engine,
  containers: readonly Pick<ContainerSummary, 'id'>[],
): Promise<Map<string, Ending[]>> {
  const endings = new Map<string, Ending[]>(containers.map(({ id }) => [id, []]))
  const killed = new Set<string>()
  // Up to now by the Engine's own clock: with a moment in its future it would wait for that.
  const until = Date.parse((await engine.info()).time) / 1000
  for await (const { action, id, time, attributes } of engine.events({ since: 1, until })) {
    const mine = endings.get(id)
    if (!mine) continue
    if (action === 'oom') killed.add(id)
    if (action !== 'die') continue
    const exitCode = Number(attributes.exitCode)
    mine.push({
      at: new Date(time).toISOString(),
      ...(Number.isInteger(exitCode) && { exitCode }),
      outOfMemory: killed.delete(id),
    })
  }
  return new Map([...endings].map(([id, mine]) => [id, mine.slice(-longest)]))
}

/** Those of one container, and its last end, which the Engine remembers for as long as the container is there. */
export function endingsOf(
  { Id, State }: ContainerDocument,
  endings: ReadonlyMap<string, readonly Ending[]>,
): Ending[] {
  const known = [...(endings.get(Id) ?? [])]
  const finished = Date.parse(State.FinishedAt)
  const never = Number.isNaN(finished) || finished <= 0
  // The event comes a moment after the end.
  if (never || known.some((one) => Math.abs(Date.parse(one.at) - finished) < 2000)) return known
  const exitCode = State.Running ? {} : { exitCode: State.ExitCode }
  const last = { at: new Date(finished).toISOString(), ...exitCode, outOfMemory: State.OOMKilled }
  return [...known, last].sort((a, b) => (a.at < b.at ? -1 : 1))
}
