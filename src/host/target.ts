import path from 'node:path'
import type { Compose, ComposeService } from '../definition/compose.ts'
import type { Definition } from '../definition/definition.ts'
import type { ContainerSpec } from '../engine/documents.ts'
import type { NetworkSpec, VolumeSpec } from '../engine/engine.ts'
import { acceptedIds } from '../engine/load-image.ts'
import type { ImageSource } from '../image/image-source.ts'
import { digestOf } from '../lib/digest.ts'
import { badInput } from '../lib/errors.ts'
import { containerSpec, nameOnEngine } from './container-spec.ts'
import { composeLabels, ownLabels } from './labels.ts'

/** What a host is to hold of one appliance: plain data, computed without looking at the host. */
export interface HostTarget {
  /** The appliance's name on the host; Compose's project. */
  readonly name: string
  readonly product: string
  readonly release: string
  /** Absent: nothing of the target needs an image (uninstall). */
  readonly image?: TargetImage
  readonly networks: readonly TargetNetwork[]
  readonly volumes: readonly VolumeSpec[]
  /** In an order that starts what is depended on first. */
  readonly containers: readonly TargetContainer[]
  /** What becomes of our volumes that the target does not name: they hold data. */
  readonly otherVolumes: 'keep' | 'remove'
}

export interface TargetImage {
  /** "name:tag". */
  readonly reference: string
  /** IDs that an Engine may know it by: its config's digest or its manifest's. */
  readonly ids: readonly string[]
  /** Bytes of its layers, compressed. */
  readonly size: number
}

export interface TargetNetwork extends NetworkSpec {
  readonly hash: string
}

export interface TargetContainer {
  readonly service: string
  /** Its name once it serves. */
  readonly name: string
  /** Of everything it is made from: another hash needs another container. */
  readonly hash: string
  readonly spec: ContainerSpec
  /** Engine names. */
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  /** Services that must be up before it starts. */
  readonly needs: readonly { readonly service: string; readonly healthy: boolean }[]
  readonly hasHealthCheck: boolean
  /** Milliseconds after which a start that is not healthy has failed. */
  readonly patience: number
  /** Absent: none. */
  readonly limit?: MemoryLimit
  /** Command in the container that makes it take a changed limit or file. */
  readonly reload?: readonly string[]
}

/** Bytes, as the Engine counts: `swap` is memory and swap together. */
export interface MemoryLimit {
  readonly memory: number
  readonly swap: number
}

/** What `readLayout` and `openBundle` know of an image, as a target names it. */
export function targetImage(reference: string, image: ImageSource): TargetImage {
  const size = image.layers.reduce((sum, layer) => sum + layer.size, 0)
  return { reference, ids: acceptedIds(image), size }
}

/**
 * The target of an installed appliance: every service of the Compose file as one container of `image`, with its
 * networks and volumes. Throws where services depend on each other in a circle.
 */
export function targetHost(
  definition: Pick<Definition, 'name' | 'version' | 'composeFile'>,
  compose: Compose,
  image: TargetImage,
  name: string,
  profile: string,
): HostTarget {
  const common = {
    [ownLabels.appliance]: name,
    [ownLabels.product]: definition.name,
    [ownLabels.release]: definition.version,
    [composeLabels.project]: name,
  }
  const networks = compose.networks.map((network): TargetNetwork => {
    const spec = {
      name: nameOnEngine(name, network),
      driver: network.driver ?? 'bridge',
      internal: network.internal,
      attachable: true,
      ipv6: false,
      options: network.driverOptions,
      pools: [],
    }
    const hash = hashOf(spec)
    const labels = { ...network.labels, ...withoutRelease(common), [ownLabels.component]: network.key }
    return {
      ...spec,
      labels: { ...labels, [composeLabels.network]: network.key, [ownLabels.target]: hash },
      hash,
    }
  })
  const volumes = compose.volumes.map(
    (volume): VolumeSpec => ({
      name: nameOnEngine(name, volume),
      driver: volume.driver ?? 'local',
      options: volume.driverOptions,
      labels: {
        ...volume.labels,
        ...withoutRelease(common),
        [ownLabels.component]: volume.key,
        [composeLabels.volume]: volume.key,
        ...(volume.holds && { [ownLabels.holds]: volume.holds }),
      },
    }),
  )
  const directory = path.dirname(definition.composeFile)
  const containers = inStartOrder(compose.services).map((service): TargetContainer => {
    const labels = {
      ...common,
      [ownLabels.component]: service.name,
      [composeLabels.service]: service.name,
      [composeLabels.number]: '1',
      [composeLabels.oneoff]: 'False',
      [composeLabels.configFiles]: 'compose/appliance.yaml',
      [composeLabels.dependsOn]: service.dependsOn
        .map((need) => `${need.service}:${need.condition}:false`)
        .join(','),
      ...contentsLabel(service, compose),
      ...(service.reload && { [ownLabels.reload]: JSON.stringify(service.reload) }),
      ...(service.serves && { [ownLabels.serves]: service.serves }),
      ...(service.crashSafe && { [ownLabels.crashSafe]: 'true' }),
      ...(service.expected && { [ownLabels.expected]: JSON.stringify(service.expected) }),
    }
    const spec = containerSpec(service, { compose, project: name, image: image.reference, labels, directory })
    const attached = Object.keys(spec.NetworkingConfig?.EndpointsConfig ?? {})
    // A memory limit changes live: it asks for no other container.
    const { Memory, MemorySwap, ...HostConfig } = spec.HostConfig
    const hash = hashOf({
      spec: { ...spec, HostConfig },
      image: image.ids,
      networks: networks.filter((one) => attached.includes(one.name)),
    })
    return {
      service: service.name,
      name: `${name}-${service.name}-1`,
      hash,
      spec: {
        ...spec,
        Labels: {
          ...spec.Labels,
          // Another profile with the same values asks for no other container.
          [ownLabels.profile]: profile,
          [ownLabels.imageIds]: JSON.stringify(image.ids),
          [ownLabels.target]: hash,
          [composeLabels.configHash]: hash,
        },
      },
      networks: attached,
      volumes: service.mounts
        .filter((mount) => mount.type === 'volume')
        .map((mount) => volumes[compose.volumes.findIndex((volume) => volume.key === mount.source)]!.name),
      needs: service.dependsOn.map((need) => ({
        service: need.service,
        healthy: need.condition === 'service_healthy',
      })),
      hasHealthCheck: service.healthcheck !== undefined && service.healthcheck.test[0] !== 'NONE',
      patience: patienceOf(service),
      ...(Memory !== undefined && { limit: { memory: Memory, swap: MemorySwap ?? 2 * Memory } }),
      ...(service.reload && { reload: service.reload }),
    }
  })
  return {
    name,
    product: definition.name,
    release: definition.version,
    image,
    networks,
    volumes,
    containers,
    otherVolumes: 'keep',
  }
}

/** The target of an uninstall: nothing, or only the volumes. */
export function emptyTarget(name: string, keepData: boolean): HostTarget {
  const otherVolumes = keepData ? 'keep' : 'remove'
  return { name, product: '', release: '', networks: [], volumes: [], containers: [], otherVolumes }
}

/** An Engine cannot change the labels of a volume: what a later release calls its content stands on its containers. */
function contentsLabel({ mounts }: ComposeService, { volumes }: Compose): Record<string, string> {
  const mounted = volumes.filter(({ key }) =>
    mounts.some(({ type, source }) => type === 'volume' && source === key),
  )
  if (mounted.length === 0) return {}
  const contents = mounted.flatMap(({ key, holds }) => (holds === undefined ? [] : [[key, holds] as const]))
  return { [ownLabels.contents]: JSON.stringify(Object.fromEntries(contents)) }
}

/** Networks and volumes outlive releases. */
function withoutRelease(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => key !== ownLabels.release))
}

/** SHA-256 of a value's JSON with sorted keys. */
function hashOf(value: unknown): string {
  return digestOf(JSON.stringify(value, sortKeys))
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * What is depended on goes first; of the rest what takes longest, by its own word (`start_period`): it comes up while the
 * others start.
 */
function inStartOrder(services: readonly ComposeService[]): ComposeService[] {
  const ordered: ComposeService[] = []
  const visit = (service: ComposeService, path: readonly string[]): void => {
    if (ordered.includes(service)) return
    const chain = [...path, service.name]
    if (path.includes(service.name)) {
      throw badInput(
        'dependency-circle',
        `The services depend on each other in a circle (${chain.join(' → ')}); take one depends_on out of the Compose file.`,
      )
    }
    for (const need of service.dependsOn) {
      const needed = services.find((other) => other.name === need.service)
      if (needed) visit(needed, chain)
    }
    ordered.push(service)
  }
  const startPeriod = ({ healthcheck }: ComposeService): number => healthcheck?.startPeriod ?? 0
  for (const service of [...services].sort((a, b) => startPeriod(b) - startPeriod(a))) visit(service, [])
  return ordered
}

/**
 * Until the Engine itself would say "unhealthy", and a slow host's ten seconds more. It takes a time of 0 for none given
 * (Engine API, HealthConfig).
 */
function patienceOf({ healthcheck }: ComposeService): number {
  const { interval, timeout, startPeriod = 0, retries = 3 } = healthcheck ?? {}
  return startPeriod + retries * ((interval || 30_000) + (timeout || 30_000)) + 10_000
}
