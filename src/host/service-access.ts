import type { ContainerSummary } from '../engine/containers-port.ts'
import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { withFreshHealth } from './health-check.ts'
import { hostPorts, readHealth } from './inspect.ts'
import { ownLabels } from './labels.ts'
import type { HostPort } from './state.ts'

/** A service as its clients see it. */
export interface ServiceAccess {
  readonly service: string
  readonly container: string
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly ports: readonly HostPort[]
  /** What clients use those ports as, where the product says so. */
  readonly serves?: string
}

/**
 * The services of the appliance `name`, sorted; none where there is no such appliance. `passed`: names of containers
 * whose health check was seen to pass a moment ago, so that it is not run once more.
 */
export async function readServiceAccess(
  engine: Engine,
  name: string,
  passed: ReadonlySet<string> = new Set(),
): Promise<ServiceAccess[]> {
  const summaries = await engine.containers.list({ [ownLabels.appliance]: name })
  const services = summaries.filter(isService)
  const found = await Promise.all(
    services.map(async (summary) => {
      const document = await engine.containers.inspect(summary.id)
      if (!document) return undefined
      if (!passed.has(summary.name)) return accessOf(await withFreshHealth(engine, document))
      const access = accessOf(document)
      // The Engine has not looked yet: its first interval is not over.
      return document.State.Running && access.health === 'starting'
        ? { ...access, health: 'healthy' as const }
        : access
    }),
  )
  return sortServices(found.filter((one) => one !== undefined))
}

export function accessOf(document: ContainerDocument): ServiceAccess {
  const { Labels } = document.Config
  const serves = Labels[ownLabels.serves]
  return {
    service: Labels[ownLabels.component] ?? '',
    container: document.Name.replace(/^\//, ''),
    health: readHealth(document),
    ports: hostPorts(document.HostConfig.PortBindings ?? {}),
    ...(serves && { serves }),
  }
}

/** Helpers of Slipway's own are no services. */
export function isService({ labels }: Pick<ContainerSummary, 'labels'>): boolean {
  return labels[ownLabels.role] === undefined
}

/** By service, then container. */
export function sortServices<T extends Pick<ServiceAccess, 'service' | 'container'>>(
  services: readonly T[],
): T[] {
  return [...services].sort((a, b) => (a.service + a.container < b.service + b.container ? -1 : 1))
}
