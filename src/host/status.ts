import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { hostPorts, readHealth } from './inspect.ts'
import { ownLabels } from './labels.ts'
import type { HostPort } from './state.ts'

/** One service of an appliance as it is now. */
export interface ServiceStatus {
  readonly service: string
  readonly container: string
  readonly state: string
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly restarts: number
  /** ISO 8601; absent where it does not run. */
  readonly startedAt?: string
  readonly release: string
  readonly image: string
  readonly memory: {
    /** Bytes; absent where it does not run. */
    readonly used?: number
    /** Bytes; absent: no cap. */
    readonly cap?: number
  }
  readonly ports: readonly HostPort[]
}

export interface HostStatus {
  readonly name: string
  readonly product: string
  /** Sorted by service. */
  readonly services: readonly ServiceStatus[]
}

/** What an Engine says of the appliance `name`; without services where there is none. */
export async function readStatus(engine: Engine, name: string): Promise<HostStatus> {
  const summaries = await engine.containers.list({ [ownLabels.appliance]: name })
  const services = await Promise.all(
    summaries.map(async ({ id, state }) => {
      const running = state === 'running'
      const [document, memory] = await Promise.all([
        engine.containers.inspect(id),
        running ? engine.containers.memory(id) : undefined,
      ])
      return document && describe(document, memory?.used)
    }),
  )
  return {
    name,
    product: summaries[0]?.labels[ownLabels.product] ?? '',
    services: services
      .filter((one) => one !== undefined)
      .sort((a, b) => (a.service + a.container < b.service + b.container ? -1 : 1)),
  }
}

function describe(document: ContainerDocument, used: number | undefined): ServiceStatus {
  const { State, Config, HostConfig } = document
  return {
    service: Config.Labels[ownLabels.component] ?? '',
    container: document.Name.replace(/^\//, ''),
    state: State.Status,
    health: readHealth(document),
    restarts: document.RestartCount,
    ...(State.Running && { startedAt: State.StartedAt }),
    release: Config.Labels[ownLabels.release] ?? '',
    image: document.Image,
    memory: { ...(used !== undefined && { used }), ...(HostConfig.Memory ? { cap: HostConfig.Memory } : {}) },
    ports: hostPorts(HostConfig.PortBindings ?? {}),
  }
}
