import { formatSize } from '../definition/size.ts'
import { formatMemory } from '../lib/bytes.ts'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { notInstalled } from './not-installed.ts'
import type { HostContainer, HostState } from './state.ts'
import type { Step } from './step.ts'
import { planSettings } from './stored-settings.ts'
import type { MemoryLimit } from './target.ts'

/** The step that brings a container to a memory limit, if it takes one. `notedIn`: the appliance, where a reload follows. */
export function planMemory(
  one: HostContainer,
  limit: MemoryLimit | undefined,
  force: boolean,
  notedIn?: string,
): Step[] {
  if (!limit || sameLimit(one.limit, limit)) return []
  const { service, name, limit: previous } = one
  const had = previous ? formatMemory(previous.memory) : 'no limit'
  const reason =
    previous?.memory === limit.memory ? 'memory and swap together' : `${had} → ${formatMemory(limit.memory)}`
  const noted = notedIn !== undefined && one.reload ? { notedIn } : {}
  return [
    { action: 'set-memory', service, name, limit, ...(previous && { previous }), force, ...noted, reason },
  ]
}

/** The step that makes a running service take changed limits, where it has a way to. */
export function planReload(
  { service, name, reload }: HostContainer,
  reason: string,
  notedIn: string,
): Step[] {
  return reload ? [{ action: 'reload-service', service, name, command: reload, notedIn, reason }] : []
}

/** An Engine whose kernel does not count swap keeps -1 for it, whatever it is told. */
function sameLimit(present: MemoryLimit | undefined, wanted: MemoryLimit): boolean {
  return present?.memory === wanted.memory && (present.swap === wanted.swap || present.swap === -1)
}

/** What `memory SERVICE SIZE` asks for. */
export interface MemoryChange {
  readonly service: string
  /** Bytes. */
  readonly memory: number
  readonly force: boolean
}

/**
 * The steps that give a service another memory limit for good: set in place, remembered, and the service told, even
 * where the limit is right already, since a run may have been cut off before that. Throws `no-service`.
 */
export function planMemoryChange(
  current: HostState,
  settings: Readonly<Record<string, string>>,
  { service, memory, force }: MemoryChange,
): Step[] {
  const mine = containersOf(current, service)
  const remembered = { ...settings, [`${service}.memory`]: formatSize(memory) }
  return [
    ...mine.flatMap((one) => {
      const notedIn = one.status === 'running' ? current.name : undefined
      return planMemory(one, { memory, swap: swapFor(one.limit, memory) }, force, notedIn)
    }),
    ...planSettings(current.name, settings, remembered),
    ...mine
      .filter((one) => one.status === 'running')
      .flatMap((one) => planReload(one, `its memory limit is ${formatMemory(memory)}`, current.name)),
  ]
}

/** The containers of a service, which must be there. Throws `no-service`, with the nearest right name. */
export function containersOf(current: HostState, service: string): HostContainer[] {
  const mine = current.containers.filter((one) => one.service === service)
  if (mine.length > 0) return mine
  const services = [...new Set(current.containers.map((one) => one.service))].sort()
  const [near] = nearest(service, services)
  throw badInput(
    'no-service',
    services.length === 0
      ? notInstalled(current.name)
      : `${current.name} has no service ${service}${near ? `; did you mean ${near}?` : '.'} It has ${services.join(', ')}.`,
  )
}

/** Swap keeps its share: none beside memory where both limits were the same, as much again where they were not. */
function swapFor(limit: MemoryLimit | undefined, memory: number): number {
  return limit && limit.swap !== limit.memory ? 2 * memory : memory
}
