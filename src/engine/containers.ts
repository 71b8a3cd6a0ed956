import type Docker from 'dockerode'
import type { Call } from './call.ts'
import { containerFilesOf } from './container-files.ts'
import type { ContainerMemory, ContainerSummary, Containers, LimitUpdate } from './containers-port.ts'
import type { ContainerDocument, ContainerSpec } from './documents.ts'
import { isUnchanged, unlessNotFound } from './errors.ts'
import { execute } from './exec.ts'
import { guarded } from './guarded.ts'
import { splitOutput } from './output.ts'
import { streamLogs } from './stream-logs.ts'

export function containersOf(docker: Docker, call: Call): Containers {
  const named = (container: string): Docker.Container => docker.getContainer(container)
  return {
    list: (labels = {}) =>
      call(async () => {
        const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
        return (await docker.listContainers({ all: true, filters: { label } })).map(summarise)
      }),
    inspect: (container) =>
      call(() =>
        unlessNotFound(async () => (await named(container).inspect()) as unknown as ContainerDocument),
      ),
    create: (name, spec, platform) => call(() => create(docker, name, spec, platform)),
    start: (container) => call(() => unlessUnchanged(named(container).start())),
    stop: (container, seconds) =>
      call(() => unlessUnchanged(named(container).stop(seconds === undefined ? {} : { t: seconds }))),
    kill: (container, signal = 'SIGKILL') => call(async () => void (await named(container).kill({ signal }))),
    rename: (container, name) => call(async () => void (await named(container).rename({ name }))),
    remove: (container) => call(async () => void (await named(container).remove({ force: true, v: true }))),
    memory: (container) => call(() => readMemory(named(container))),
    logs: (container, lines) =>
      call(async () => {
        const logs = await named(container).logs({ stdout: true, stderr: true, tail: lines, follow: false })
        return splitOutput(logs).merged
      }),
    streamLogs: (container, query = {}) => guarded(call, streamLogs(named(container), query)),
    exec: (container, command, options = {}) => call(() => execute(named(container), command, options)),
    ...containerFilesOf(docker, call),
    update: (container, limits) => call(() => updateLimits(named(container), limits)),
    top: (container) =>
      call(async () => {
        const { Titles, Processes } = (await named(container).top()) as {
          Titles: string[]
          Processes: string[][]
        }
        return Processes.map((cells) =>
          Object.fromEntries(cells.map((cell, index) => [Titles[index]!, cell])),
        )
      }),
    written: (container) =>
      call(() =>
        unlessNotFound(async () => {
          const query = { size: true } as unknown as Docker.ContainerInspectOptions
          return ((await named(container).inspect(query)) as { SizeRw?: number }).SizeRw ?? 0
        }),
      ),
  }
}

/** Before API 1.44 a container is created with one network; the others are joined before it starts. */
async function create(
  docker: Docker,
  name: string,
  spec: ContainerSpec,
  platform: string | undefined,
): Promise<string> {
  const endpoints = Object.entries(spec.NetworkingConfig?.EndpointsConfig ?? {})
  // Told apart, or dockerode writes all of it into the address too.
  const request = {
    _query: { name, ...(platform !== undefined && { platform }) },
    _body: { ...spec, NetworkingConfig: { EndpointsConfig: Object.fromEntries(endpoints.slice(0, 1)) } },
  }
  const container = await docker.createContainer(request as unknown as Docker.ContainerCreateOptions)
  try {
    for (const [network, endpoint] of endpoints.slice(1)) {
      const EndpointConfig = endpoint as Docker.EndpointSettings
      await docker.getNetwork(network).connect({ Container: container.id, EndpointConfig })
    }
  } catch (error) {
    await container.remove({ force: true })
    throw error
  }
  return container.id
}

async function unlessUnchanged(request: Promise<unknown>): Promise<void> {
  try {
    await request
  } catch (error) {
    if (!isUnchanged(error)) throw error
  }
}

function summarise(container: Docker.ContainerInfo): ContainerSummary {
  return {
    id: container.Id,
    name: (container.Names[0] ?? '').replace(/^\//, ''),
    labels: container.Labels ?? {},
    imageId: container.ImageID,
    created: container.Created,
    state: container.State,
    status: container.Status,
    ports: container.Ports.filter((port) => port.PublicPort).map((port) => ({
      ip: port.IP ?? '',
      port: port.PublicPort,
      protocol: port.Type,
    })),
    networks: Object.values(container.NetworkSettings?.Networks ?? {}).map(({ NetworkID }) => NetworkID),
    volumes: (container.Mounts ?? []).flatMap(({ Type, Name }) => (Type === 'volume' && Name ? [Name] : [])),
  }
}

/** Memory as `docker stats` counts it: without inactive page cache; cgroup v1 and v2 name that differently. */
async function readMemory(container: Docker.Container): Promise<ContainerMemory | undefined> {
  const stats = await container.stats({ stream: false, 'one-shot': true } as { stream: false })
  const { usage, limit, stats: detail } = stats.memory_stats
  if (usage === undefined) return undefined
  const counters = detail as unknown as Record<string, number>
  const cache = counters.total_inactive_file ?? counters.inactive_file ?? 0
  return { used: Math.max(0, usage - cache), limit }
}

async function updateLimits(container: Docker.Container, limits: LimitUpdate): Promise<string[]> {
  const { restartPolicy } = limits
  const answer: { Warnings?: string[] | null } = await container.update({
    ...(limits.memory !== undefined && { Memory: limits.memory }),
    ...(limits.memorySwap !== undefined && { MemorySwap: limits.memorySwap }),
    ...(limits.memoryReservation !== undefined && { MemoryReservation: limits.memoryReservation }),
    ...(limits.pidsLimit !== undefined && { PidsLimit: limits.pidsLimit }),
    ...(restartPolicy && {
      RestartPolicy: { Name: restartPolicy.name, MaximumRetryCount: restartPolicy.maximumRetries ?? 0 },
    }),
  })
  return answer.Warnings ?? []
}
