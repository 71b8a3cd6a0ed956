import type { ContainerSummary } from '../engine/containers-port.ts'
import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { mapParallel } from '../lib/parallel.ts'
import { readLocalCgroup } from './cgroup.ts'
import { countDrift } from './drift-count.ts'
import { type Ending, endingsOf, readEndings } from './endings.ts'
import { withFreshHealth } from './health-check.ts'
import { ownLabels } from './labels.ts'
import { type RunAtWork, readMutex } from './mutex.ts'
import { accessOf, isService, type ServiceAccess, sortServices } from './service-access.ts'
import { readState } from './state-volume.ts'

/** One service of an appliance as it is now. */
export interface ServiceStatus extends ServiceAccess {
  readonly state: string
  /** The health check's last answer. */
  readonly lastCheck?: { readonly at: string; readonly said: string; readonly failures: number }
  /** By the Engine, since the container was made. */
  readonly restarts: number
  /** Its ends, as far as the Engine remembers, oldest first. */
  readonly endings: readonly Ending[]
  /** ISO 8601; absent where it does not run. */
  readonly startedAt?: string
  readonly release: string
  readonly image: string
  /** Pinned library → version in the image. */
  readonly pins: Readonly<Record<string, string>>
  readonly memory: {
    /** Bytes; absent where it does not run. */
    readonly used?: number
    /** Bytes; absent: no cap. */
    readonly cap?: number
    /** Processes that the kernel ended for want of memory since the start; absent where it cannot be told. */
    readonly kills?: number
  }
  /** Absent where the service does not tell. */
  readonly cache?: CacheUse
  /** Paths written over the image that no definition expects; absent where that was not looked at. */
  readonly drift?: number
}

/** What a health check says of a cache: "…; cache 4096 of 1048576 bytes", "…; cache up to 12 of 5000 names". */
export interface CacheUse {
  readonly used: number
  readonly cap: number
  readonly unit: 'bytes' | 'names'
  /** `used` is the most that it can be. */
  readonly atMost: boolean
}

export interface HostStatus {
  readonly name: string
  readonly product: string
  readonly release: string
  readonly profile: string
  /** Settings of this site over the profile; absent where that was not looked at. */
  readonly settings?: Readonly<Record<string, string>>
  /** The run that changes it now, or that was cut off; absent where there is none, or that was not looked at. */
  readonly atWork?: RunAtWork
  /** Sorted by service. */
  readonly services: readonly ServiceStatus[]
}

/** Questions that an Engine is asked at once. */
const atOnce = 16

/** What an Engine says of the appliance `name`; without services where there is none. */
export async function readStatus(engine: Engine, name: string): Promise<HostStatus> {
  const read = async (): Promise<HostStatus> => {
    const summaries = await engine.containers.list({ [ownLabels.appliance]: name })
    return (await readStatuses(engine, [name], summaries, { quickDrift: false }))[0]!
  }
  const [status, { settings, history }, atWork] = await Promise.all([
    read(),
    readState(engine, name),
    readMutex(engine, name),
  ])
  // Containers keep the label of the profile that made them, where another gives them other memory alone.
  const profile = status.services.length > 0 ? (history.at(-1)?.profile ?? status.profile) : status.profile
  return { ...status, profile, settings, ...(atWork && { atWork }) }
}

/**
 * The same of all appliances that containers are of, in about the time of one: without settings, and with drift only
 * where that is quick.
 */
export async function readAllStatuses(
  engine: Engine,
  containers: readonly ContainerSummary[],
): Promise<HostStatus[]> {
  const summaries = containers.filter((one) => ownLabels.appliance in one.labels)
  const names = [...new Set(summaries.filter(isService).map((one) => one.labels[ownLabels.appliance]!))]
  const statuses = await readStatuses(engine, names.sort(), summaries, { quickDrift: true })
  return statuses.filter(({ services }) => services.length > 0)
}

async function readStatuses(
  engine: Engine,
  names: readonly string[],
  summaries: readonly ContainerSummary[],
  { quickDrift }: { readonly quickDrift: boolean },
): Promise<HostStatus[]> {
  const local = engine.endpoint.transport === 'unix'
  const containers = summaries.filter(isService)
  // A hundred checks at once, on a host that has just booted, would be waited for: then the Engine's word counts.
  const asksFresh = containers.filter(isStarting).length <= atOnce
  const [endings, services] = await Promise.all([
    readEndings(engine, containers),
    mapParallel(containers, { limit: atOnce }, async (summary) => {
      const document = await inspectUnlessGoing(engine, summary.id, asksFresh)
      if (!document) return undefined
      const [memory, drift] = await Promise.all([
        readMemory(engine, document, local),
        countDrift(engine, document, { local, quick: quickDrift }).catch(() => undefined),
      ])
      return { appliance: summary.labels[ownLabels.appliance]!, document, memory, drift }
    }),
  ])
  return names.map((name) => {
    const mine = services.filter((one) => one !== undefined).filter((one) => one.appliance === name)
    const labels = mine[0]?.document.Config.Labels ?? {}
    return {
      name,
      product: labels[ownLabels.product] ?? '',
      release: labels[ownLabels.release] ?? '',
      profile: labels[ownLabels.profile] ?? '',
      services: sortServices(
        mine.map(({ document, memory, drift }) => ({
          ...describe(document, endingsOf(document, endings)),
          memory,
          ...(drift !== undefined && { drift }),
        })),
      ),
    }
  })
}

/** An Engine answers with an error of its disk for a container that another run is just removing. */
async function inspectUnlessGoing(
  engine: Engine,
  id: string,
  asksFresh: boolean,
): Promise<ContainerDocument | undefined> {
  try {
    const document = await engine.containers.inspect(id)
    return document && asksFresh ? await withFreshHealth(engine, document) : document
  } catch (error) {
    const still = (await engine.containers.list()).find((one) => one.id === id)
    if (still && still.state !== 'removing' && still.state !== 'dead') throw error
    return undefined
  }
}

/** As the Engine words it: "Up 3 seconds (health: starting)". */
function isStarting({ status }: ContainerSummary): boolean {
  return status.includes('(health: starting)')
}

async function readMemory(
  engine: Engine,
  { Id, State, HostConfig }: ContainerDocument,
  local: boolean,
): Promise<ServiceStatus['memory']> {
  const cap = HostConfig.Memory ? { cap: HostConfig.Memory } : {}
  if (!State.Running) return cap
  const own = local && State.Pid ? readLocalCgroup(State.Pid, Id) : undefined
  const asked = own ? undefined : await engine.containers.memory(Id).catch(() => undefined)
  const used = (own ?? asked)?.used
  return {
    ...(used !== undefined && { used }),
    ...cap,
    ...(own?.kills !== undefined && { kills: own.kills }),
  }
}

function describe(document: ContainerDocument, endings: readonly Ending[]): Omit<ServiceStatus, 'memory'> {
  const { State, Config } = document
  const last = State.Health?.Log?.at(-1)
  const said = last?.Output.trim() ?? ''
  const cache = State.Running && last?.ExitCode === 0 ? readCacheUse(said) : undefined
  return {
    ...accessOf(document),
    state: State.Status,
    ...(last?.End && {
      lastCheck: { at: last.End, said: said.slice(0, 300), failures: State.Health?.FailingStreak ?? 0 },
    }),
    restarts: document.RestartCount,
    endings,
    ...(State.Running && { startedAt: State.StartedAt }),
    release: Config.Labels[ownLabels.release] ?? '',
    image: document.Image,
    pins: readPins(Config.Labels[ownLabels.pins]),
    ...(cache && { cache }),
  }
}

/** The last words of a health check's answer, where they tell of a cache. */
export function readCacheUse(said: string): CacheUse | undefined {
  const [, atMost, used, cap, unit] =
    /(?:^|; )cache (up to )?(\d{1,18}) of (\d{1,18}) (bytes|names)$/.exec(said) ?? []
  if (unit !== 'bytes' && unit !== 'names') return undefined
  return { used: Number(used), cap: Number(cap), unit, atMost: atMost !== undefined }
}

/** Labels are anybody's to write: what is no map of texts counts as none. */
export function readPins(label: string | undefined): Record<string, string> {
  try {
    const pins: unknown = JSON.parse(label ?? '{}')
    if (typeof pins !== 'object' || pins === null || Array.isArray(pins)) return {}
    return Object.fromEntries(Object.entries(pins).filter(([, version]) => typeof version === 'string'))
  } catch {
    return {}
  }
}
