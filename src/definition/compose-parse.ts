import { nearest } from '../lib/nearest.ts'
import type {
  Compose,
  ComposeDependency,
  ComposeMount,
  ComposeNetwork,
  ComposePort,
  ComposeService,
  ComposeTmpfs,
  ComposeVolume,
  Healthcheck,
  RestartPolicy,
} from './compose.ts'
import type { ComposeSource, HealthcheckSource, Pairs, ServiceSource } from './compose-source.ts'
import { parseDuration } from './duration.ts'
import { interpolateFile, type Variables } from './interpolate.ts'
import { type Problem, refuseProblems, showPath, type ValuePath } from './problem.ts'
import { checkSchema } from './schema.ts'
import { parseSize } from './size.ts'
import { parseYaml, type YamlFile } from './yaml-file.ts'

/** Parses the text of a Compose file. Throws a DefinitionError that names every mistake, with `file` as its name. */
export function parseCompose(text: string, variables: Variables, file = 'compose/appliance.yaml'): Compose {
  const { compose, problems } = readCompose(parseYaml(text, file), variables)
  refuseProblems(problems)
  return compose!
}

/** As `parseCompose`, with the mistakes as data, and the names of the variables that the file uses. */
export function readCompose(
  yaml: YamlFile,
  variables: Variables,
): { compose?: Compose; problems: readonly Problem[]; names: ReadonlySet<string> } {
  if (yaml.problems.length > 0) return { problems: yaml.problems, names: new Set() }
  const { value, names, problems } = interpolateFile(yaml, variables)
  const without = new Set(problems.map((problem) => problem.path))
  problems.push(...checkSchema('compose', yaml, value).filter(({ path }) => !without.has(path)))
  if (problems.length > 0) return { problems, names }
  const source = value as ComposeSource
  const compose = toCompose(source)
  problems.push(...checkNames(compose, source, yaml))
  return problems.length > 0 ? { problems, names } : { compose, problems, names }
}

function toCompose(source: ComposeSource): Compose {
  const services = Object.entries(source.services).map(([name, service]) => toService(name, service))
  const networks = Object.entries(source.networks ?? {}).map(([key, network]) => ({
    key,
    ...present({ name: network?.name, driver: network?.driver }),
    driverOptions: pairs(network?.driver_opts),
    labels: pairs(network?.labels),
    internal: flag(network?.internal),
  }))
  const usesDefault = services.some((service) => service.networks.includes('default'))
  if (usesDefault && !networks.some((network) => network.key === 'default')) networks.push(defaultNetwork)
  return { services, volumes: toVolumes(source), networks }
}

const defaultNetwork: ComposeNetwork = { key: 'default', driverOptions: {}, labels: {}, internal: false }

function toVolumes(source: ComposeSource): ComposeVolume[] {
  return Object.entries(source.volumes ?? {}).map(([key, volume]) => ({
    key,
    ...present({ name: volume?.name, driver: volume?.driver, holds: volume?.['x-slipway']?.holds }),
    driverOptions: pairs(volume?.driver_opts),
    labels: pairs(volume?.labels),
  }))
}

function toService(name: string, source: ServiceSource): ComposeService {
  return {
    name,
    image: source.image,
    ...present({
      command: source.command,
      entrypoint: source.entrypoint,
      user: source.user,
      hostname: source.hostname,
    }),
    environment: pairs(source.environment),
    labels: pairs(source.labels),
    mounts: (source.volumes ?? []).map(toMount),
    tmpfs: (source.tmpfs ?? []).map(toTmpfs),
    ports: (source.ports ?? []).map(toPort),
    networks: source.networks?.length ? source.networks : ['default'],
    dependsOn: toDependencies(source.depends_on ?? []),
    restart: toRestart(source.restart ?? 'no'),
    ...present({
      memory: size(source.mem_limit),
      memorySwap: size(source.memswap_limit),
      pidsLimit: count(source.pids_limit),
    }),
    capAdd: source.cap_add ?? [],
    capDrop: source.cap_drop ?? [],
    securityOpt: source.security_opt ?? [],
    init: flag(source.init),
    readOnly: flag(source.read_only),
    ...present({
      healthcheck: source.healthcheck && toHealthcheck(source.healthcheck),
      logging: source.logging && {
        driver: source.logging.driver,
        options: pairs(source.logging.options),
      },
      stopSignal: source.stop_signal,
      stopGracePeriod: duration(source.stop_grace_period),
    }),
    ulimits: Object.entries(source.ulimits ?? {}).map(([limit, value]) =>
      typeof value === 'number' ? { name: limit, soft: value, hard: value } : { name: limit, ...value },
    ),
    sysctls: pairs(source.sysctls),
    ...present({
      component: source['x-slipway']?.component,
      reload: source['x-slipway']?.reload,
      serves: source['x-slipway']?.serves,
      crashSafe: source['x-slipway']?.['crash-safe'],
      expected: source['x-slipway']?.expected,
    }),
  }
}

function toMount(text: string): ComposeMount {
  const [, source, target, mode] = /^(.+):(\/[^:]+?)(?::(ro|rw))?$/.exec(text)!
  const type = /^([./~]|[A-Za-z]:[\\/])/.test(source!) ? 'bind' : 'volume'
  return { type, source: source!, target: target!, readOnly: mode === 'ro' }
}

function toTmpfs(text: string): ComposeTmpfs {
  const [target, options = ''] = text.split(':')
  return { target: target!, options }
}

/** Short syntax: `[[address:]published:]target[/protocol]`. */
function toPort(text: string | number): ComposePort {
  const [, address, published, target, protocol] =
    /^(?:(?:\[?([^\]]+?)\]?:)?(\d+):)?(\d+)(?:\/(tcp|udp))?$/.exec(String(text))!
  return {
    target: Number(target),
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    ...present({
      published: published === undefined ? undefined : Number(published),
      hostAddress: address,
    }),
  }
}

function toDependencies(source: NonNullable<ServiceSource['depends_on']>): ComposeDependency[] {
  if (Array.isArray(source)) return source.map((service) => ({ service, condition: 'service_started' }))
  return Object.entries(source as Record<string, { condition: ComposeDependency['condition'] }>).map(
    ([service, { condition }]) => ({ service, condition }),
  )
}

function toRestart(text: string): RestartPolicy {
  const [name, retries] = text.split(':')
  return {
    name: name as RestartPolicy['name'],
    ...(retries === undefined ? {} : { maximumRetries: Number(retries) }),
  }
}

function toHealthcheck(source: HealthcheckSource): Healthcheck {
  return {
    test: source.test,
    ...present({
      interval: duration(source.interval),
      timeout: duration(source.timeout),
      startPeriod: duration(source.start_period),
      retries: count(source.retries),
    }),
  }
}

/** What a schema cannot see: names that nothing declares, and ports beyond 65535. */
function checkNames(compose: Compose, source: ComposeSource, yaml: YamlFile): Problem[] {
  const problems: Problem[] = []
  const report = (path: ValuePath, text: string): void => {
    problems.push({ ...yaml.placeOf(path), path: showPath(path), text })
  }
  const check = (path: ValuePath, kind: string, name: string, declared: readonly string[]): void => {
    if (declared.includes(name)) return
    const near = nearest(name, declared)[0]
    report(
      path,
      `${showPath(path)} names the ${kind} ${JSON.stringify(name)}, which is not declared${near ? `; did you mean ${near}?` : ''}`,
    )
  }
  const services = compose.services.map((service) => service.name)
  const volumes = compose.volumes.map((volume) => volume.key)
  const networks = compose.networks.map((network) => network.key)
  for (const service of compose.services) {
    const at = ['services', service.name] as const
    service.mounts.forEach((mount, index) => {
      if (mount.type === 'volume') check([...at, 'volumes', index], 'volume', mount.source, volumes)
    })
    service.networks.forEach((network, index) => {
      if (source.services[service.name]?.networks)
        check([...at, 'networks', index], 'network', network, networks)
    })
    service.dependsOn.forEach((dependency, index) => {
      const place = Array.isArray(source.services[service.name]?.depends_on) ? index : dependency.service
      check([...at, 'depends_on', place], 'service', dependency.service, services)
    })
    service.ports.forEach((port, index) => {
      const wrong = [port.target, port.published ?? 1].find((number) => number < 1 || number > 65535)
      const path = [...at, 'ports', index]
      if (wrong !== undefined)
        report(path, `${showPath(path)} has the port ${wrong}; it must be from 1 to 65535`)
    })
  }
  return problems
}

function pairs(source: Pairs | undefined): Record<string, string> {
  if (!source) return {}
  const entries = Array.isArray(source)
    ? source.map((pair: string) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
    : Object.entries(source).map(([name, value]) => [name, String(value)])
  return Object.fromEntries(entries)
}

function flag(source: boolean | string | undefined): boolean {
  return source === true || source === 'true'
}

function size(source: string | number | undefined): number | undefined {
  return source === undefined ? undefined : parseSize(source)
}

function count(source: string | number | undefined): number | undefined {
  return source === undefined ? undefined : Number(source)
}

function duration(source: string | undefined): number | undefined {
  return source === undefined ? undefined : parseDuration(source)
}

/** Leaves out what is undefined, so that an absent key stays absent. */
function present<T extends object>(source: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined)) as never
}
