import { formatMemory } from '../lib/bytes.ts'
import type { HostContainer } from './state.ts'
import type { Step } from './step.ts'
import type { MemoryLimit } from './target.ts'

/** The step that brings a container to a memory limit, if it takes one. */
export function planMemory(one: HostContainer, limit: MemoryLimit | undefined, force: boolean): Step[] {
  if (!limit || sameLimit(one.limit, limit)) return []
  const { service, name, limit: previous } = one
  const had = previous ? formatMemory(previous.memory) : 'no limit'
  const reason =
    previous?.memory === limit.memory ? 'memory and swap together' : `${had} → ${formatMemory(limit.memory)}`
  return [{ action: 'set-memory', service, name, limit, ...(previous && { previous }), force, reason }]
}

/** The step that makes a running service take changed limits or files, where it has a way to. */
export function planReload({ service, name, reload }: HostContainer, reason: string): Step[] {
  return reload ? [{ action: 'reload-service', service, name, command: reload, reason }] : []
}

/** An Engine whose kernel does not count swap keeps -1 for it, whatever it is told. */
function sameLimit(present: MemoryLimit | undefined, wanted: MemoryLimit): boolean {
  return present?.memory === wanted.memory && (present.swap === wanted.swap || present.swap === -1)
}
