import path from 'node:path'
import type { Compose, ComposeService, Healthcheck } from '../definition/compose.ts'
import type { ContainerSpec, HealthConfig, HostConfig, PortBinding } from '../engine/documents.ts'

/** What a service's container needs to know beyond the service itself. */
export interface Surroundings {
  readonly compose: Compose
  /** The project's name, before the keys of networks and volumes. */
  readonly project: string
  /** "name:tag". */
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  /** Absolute path that relative bind mounts start from. */
  readonly directory: string
}

/** The Engine's name of a network or volume of the project (Compose specification, "name"). */
export function nameOnEngine(
  project: string,
  declared: { readonly key: string; readonly name?: string },
): string {
  return declared.name ?? `${project}_${declared.key}`
}

/** A service as the body of the Engine's create call: what `docker-compose up` would send for it. */
export function containerSpec(service: ComposeService, around: Surroundings): ContainerSpec {
  const { ports, mounts, healthcheck } = service
  const networks = service.networks.map((key) => engineName(around, around.compose.networks, key))
  const targets = ports.map((port) => [`${port.target}/${port.protocol}`, {}] as const)
  const stopTimeout = service.stopGracePeriod
  return {
    Image: around.image,
    ...(service.command && { Cmd: service.command }),
    ...(service.entrypoint && { Entrypoint: service.entrypoint }),
    Env: Object.entries(service.environment).map(([key, value]) => `${key}=${value}`),
    ...(service.user !== undefined && { User: service.user }),
    ...(service.hostname !== undefined && { Hostname: service.hostname }),
    ...(service.stopSignal !== undefined && { StopSignal: service.stopSignal }),
    ...(stopTimeout !== undefined && { StopTimeout: Math.ceil(stopTimeout / 1000) }),
    ...(targets.length > 0 && { ExposedPorts: Object.fromEntries(targets) }),
    ...(mounts.length > 0 && { Volumes: Object.fromEntries(mounts.map((mount) => [mount.target, {}])) }),
    ...(healthcheck && { Healthcheck: healthConfig(healthcheck) }),
    Labels: { ...service.labels, ...around.labels },
    HostConfig: hostConfig(service, around, networks[0]!),
    NetworkingConfig: {
      EndpointsConfig: Object.fromEntries(networks.map((name) => [name, { Aliases: [service.name] }])),
    },
  }
}

function hostConfig(service: ComposeService, around: Surroundings, network: string): HostConfig {
  const { restart, logging, ulimits } = service
  return {
    NetworkMode: network,
    Binds: service.mounts.map(({ type, source, target, readOnly }) => {
      const from =
        type === 'bind'
          ? resolve(around.directory, source)
          : engineName(around, around.compose.volumes, source)
      return `${from}:${target}:${readOnly ? 'ro' : 'rw'}`
    }),
    ...(service.tmpfs.length > 0 && {
      Tmpfs: Object.fromEntries(service.tmpfs.map(({ target, options }) => [target, options])),
    }),
    PortBindings: portBindings(service),
    RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maximumRetries ?? 0 },
    ...(logging && { LogConfig: { Type: logging.driver, Config: logging.options } }),
    ...(service.capAdd.length > 0 && { CapAdd: service.capAdd }),
    ...(service.capDrop.length > 0 && { CapDrop: service.capDrop }),
    ...(service.securityOpt.length > 0 && { SecurityOpt: service.securityOpt }),
    ReadonlyRootfs: service.readOnly,
    ...(service.init && { Init: true }),
    ...(service.memory !== undefined && { Memory: service.memory }),
    ...(service.memorySwap !== undefined && { MemorySwap: service.memorySwap }),
    ...(service.pidsLimit !== undefined && { PidsLimit: service.pidsLimit }),
    ...(ulimits.length > 0 && {
      Ulimits: ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    }),
    ...(Object.keys(service.sysctls).length > 0 && { Sysctls: service.sysctls }),
  }
}

function portBindings(service: ComposeService): Record<string, PortBinding[]> {
  const bindings: Record<string, PortBinding[]> = {}
  for (const { target, protocol, published, hostAddress } of service.ports) {
    const key = `${target}/${protocol}`
    bindings[key] ??= []
    bindings[key].push({
      HostIp: hostAddress ?? '',
      HostPort: published === undefined ? '' : String(published),
    })
  }
  return bindings
}

/**
 * How often an Engine of 25 and later asks a service that is just starting; milliseconds. It would wait 5 s, or a
 * whole interval. Older Engines leave it out, and Compose files of their time have no word for it.
 */
const startInterval = 250

/** The Engine counts whole nanoseconds, and refuses the fraction that 2.01 s has as a number of ours. */
function nanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6)
}

function healthConfig({ test, interval, timeout, startPeriod, retries }: Healthcheck): HealthConfig {
  return {
    Test: test,
    ...(interval !== undefined && { Interval: nanoseconds(interval) }),
    ...(timeout !== undefined && { Timeout: nanoseconds(timeout) }),
    ...(startPeriod !== undefined && { StartPeriod: nanoseconds(startPeriod) }),
    ...(startPeriod && { StartInterval: nanoseconds(startInterval) }),
    ...(retries !== undefined && { Retries: retries }),
  }
}

function engineName(
  around: Surroundings,
  declared: readonly { readonly key: string; readonly name?: string }[],
  key: string,
): string {
  return nameOnEngine(around.project, declared.find((one) => one.key === key) ?? { key })
}

function resolve(directory: string, source: string): string {
  return source.startsWith('/') ? source : path.resolve(directory, source)
}
