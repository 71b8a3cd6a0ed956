import type { ContainerSummary } from '../engine/containers-port.ts'
import type {
  ContainerDocument,
  HostConfig,
  NetworkDocument,
  PortBinding,
  VolumeDocument,
} from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { parseJson } from '../lib/parse-json.ts'
import { withFreshHealth } from './health-check.ts'
import { ownLabels, roles } from './labels.ts'
import type { ContainerStatus, HostContainer, HostNetwork, HostPort, HostState, HostVolume } from './state.ts'
import { withContents } from './volume-contents.ts'

/** Reads what an Engine holds of the appliance `name`, and whatever of others could be in its way. */
export async function inspectHost(engine: Engine, name: string): Promise<HostState> {
  const [images, networks, volumes, summaries] = await Promise.all([
    engine.images.list(),
    engine.networks.list(),
    engine.volumes.list(),
    engine.containers.list(),
  ])
  const owned = (labels: Readonly<Record<string, string>> | null): boolean =>
    labels?.[ownLabels.appliance] === name
  const own = summaries.filter((one) => owned(one.labels))
  const others = summaries.filter((one) => !owned(one.labels))
  const documents = await Promise.all(
    own
      .filter(({ labels }) => labels[ownLabels.role] === undefined)
      .map((one) => inspectFresh(engine, one.id)),
  )
  // A container that went away between the two questions is not there.
  const containers = documents.filter((one) => one !== undefined).map(readContainer)
  return {
    name,
    images: images.map(({ id, tags }) => ({ id, tags })),
    networks: networks.filter((one) => owned(one.Labels)).map((one) => readNetwork(one, others)),
    volumes: withContents(
      volumes.filter((one) => owned(one.Labels)).map((one) => readVolume(one, others)),
      containers,
    ),
    containers,
    helpers: own.filter(({ labels }) => isHelper(labels[ownLabels.role])).map(({ name }) => name),
    foreign: {
      containers: others.map((one) => one.name),
      networks: networks.filter((one) => !owned(one.Labels)).map((one) => one.Name),
      volumes: volumes.filter((one) => !owned(one.Labels)).map((one) => one.Name),
      ports: others.flatMap((one) => one.ports.map((port) => ({ ...port, holder: `container ${one.name}` }))),
    },
  }
}

async function inspectFresh(engine: Engine, id: string): Promise<ContainerDocument | undefined> {
  const document = await engine.containers.inspect(id)
  return document && withFreshHealth(engine, document)
}

/** The names of the appliances that an Engine holds, all or those of one product, sorted. */
export async function listAppliances(engine: Engine, product?: string): Promise<string[]> {
  return appliancesOf(
    await engine.containers.list(product === undefined ? {} : { [ownLabels.product]: product }),
  )
}

/** The names of the appliances whose containers these are, sorted. */
export function appliancesOf(containers: readonly Pick<ContainerSummary, 'labels'>[]): string[] {
  // A run that has only just begun, or never came further, is no appliance.
  const names = containers
    .filter((one) => one.labels[ownLabels.role] !== roles.mutex)
    .map((one) => one.labels[ownLabels.appliance])
    .filter((name) => name !== undefined)
  return [...new Set(names)].sort()
}

/** The mutex is its holder's; readers are what a killed run left, and may hold a volume. */
function isHelper(role: string | undefined): boolean {
  return role === roles.state || role === roles.reader || role === roles.keeper
}

function readNetwork(
  { Id, Name, Labels }: NetworkDocument,
  others: readonly ContainerSummary[],
): HostNetwork {
  const guests = others.filter(({ state, networks }) => attached.has(state) && networks?.includes(Id))
  return {
    id: Id,
    name: Name,
    hash: Labels?.[ownLabels.target] ?? '',
    ...(guests.length > 0 && { guests: guests.map(({ name }) => name) }),
  }
}

/** A paused container, and one that restarts again and again, keep a network from going as a running one does. */
const attached: ReadonlySet<string> = new Set(['running', 'paused', 'restarting'])

function readVolume(
  { Name, Driver, Options, Labels }: VolumeDocument,
  others: readonly ContainerSummary[],
): HostVolume {
  const guests = others.filter((one) => one.volumes?.includes(Name))
  const holds = Labels?.[ownLabels.holds]
  // What carries a role is Slipway's own and no service's.
  const key = Labels?.[ownLabels.role] === undefined ? Labels?.[ownLabels.component] : undefined
  return {
    name: Name,
    ...(key !== undefined && { key }),
    ...(holds !== undefined && { holds }),
    ...(Labels?.[ownLabels.product] && { product: Labels[ownLabels.product] }),
    ...(guests.length > 0 && { guests: guests.map(({ name }) => name) }),
    driver: Driver,
    options: Options ?? {},
  }
}

function readContainer(document: ContainerDocument): HostContainer {
  const labels = document.Config.Labels
  return {
    id: document.Id,
    name: document.Name.replace(/^\//, ''),
    service: labels[ownLabels.component] ?? '',
    hash: labels[ownLabels.target] ?? '',
    release: labels[ownLabels.release] ?? '',
    ...(labels[ownLabels.product] && { product: labels[ownLabels.product] }),
    profile: labels[ownLabels.profile] ?? '',
    imageId: document.Image,
    imageIds: readImageIds(document),
    status: document.State.Status as ContainerStatus,
    ...(document.State.Running && { startedAt: document.State.StartedAt }),
    health: readHealth(document),
    networks: Object.fromEntries(
      Object.entries(document.NetworkSettings.Networks).map(([name, { NetworkID }]) => [
        name,
        NetworkID ?? '',
      ]),
    ),
    volumes: document.Mounts.filter((mount) => mount.Type === 'volume' && mount.Name).map(
      (mount) => mount.Name!,
    ),
    ...readContents(labels),
    ports: hostPorts(document.HostConfig.PortBindings ?? {}),
    ...readLimit(document.HostConfig),
    ...readReload(labels),
    ...(labels[ownLabels.crashSafe] === 'true' && { crashSafe: true }),
  }
}

function readImageIds({ Image, Config }: ContainerDocument): string[] {
  try {
    const ids: unknown = JSON.parse(Config.Labels[ownLabels.imageIds] ?? '')
    if (Array.isArray(ids) && ids.every((id) => typeof id === 'string') && ids.includes(Image)) return ids
  } catch {
    // Labels are anybody's to write.
  }
  return [Image]
}

/** Labels are anybody's to write. */
function readContents(labels: Readonly<Record<string, string>>): Pick<HostContainer, 'contents'> {
  const contents = parseJson(labels[ownLabels.contents] ?? '')
  if (typeof contents !== 'object' || contents === null || Array.isArray(contents)) return {}
  const said = Object.entries(contents).filter(([, holds]) => typeof holds === 'string')
  return { contents: Object.fromEntries(said) }
}

function readLimit({ Memory, MemorySwap }: HostConfig): Pick<HostContainer, 'limit'> {
  if (!Memory) return {}
  return { limit: { memory: Memory, swap: MemorySwap || 2 * Memory } }
}

/** Labels are anybody's to write: what is not a list of words is no command. */
export function readReload(labels: Readonly<Record<string, string>>): Pick<HostContainer, 'reload'> {
  try {
    const command: unknown = JSON.parse(labels[ownLabels.reload] ?? '')
    const isCommand =
      Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === 'string')
    return isCommand ? { reload: command } : {}
  } catch {
    return {}
  }
}

export function readHealth(document: ContainerDocument): HostContainer['health'] {
  const status = document.State.Health?.Status
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none'
}

/** The host ports that a container's bindings ask for; those that the Engine chooses are left out. */
export function hostPorts(bindings: Readonly<Record<string, readonly PortBinding[] | null>>): HostPort[] {
  return Object.entries(bindings).flatMap(([target, published]) =>
    (published ?? [])
      .filter(({ HostPort }) => HostPort !== '')
      .map(({ HostIp, HostPort }) => ({
        ip: HostIp,
        port: Number(HostPort),
        protocol: target.split('/')[1] ?? 'tcp',
      })),
  )
}
