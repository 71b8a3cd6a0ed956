import type { Readable } from 'node:stream'
import type { Containers } from './containers-port.ts'
import type { NetworkDocument, VolumeDocument } from './documents.ts'
import type { Endpoint } from './endpoint.ts'

/** The Engine as the rest of Slipway sees it: plain data in and out, every error a SlipwayError. */
export interface Engine {
  readonly endpoint: Endpoint
  readonly version: EngineVersion
  info(): Promise<EngineInfo>
  /** What volumes and containers take on the Engine's disk; slow where there is much (it measures). */
  diskUsage(): Promise<DiskUsage>
  /** What happened between two moments; waits for more unless `until` is past. Break out of the loop to end it. */
  events(query?: EventQuery): AsyncIterable<EngineEvent>
  readonly images: Images
  readonly containers: Containers
  readonly volumes: Volumes
  readonly networks: Networks
}

export interface EngineVersion {
  /** "20.10.24". */
  readonly engine: string
  /** The API version spoken: "1.41". */
  readonly api: string
  readonly os: string
  /** GOARCH: "amd64". */
  readonly architecture: string
}

export interface EngineInfo {
  readonly hostName: string
  readonly operatingSystem: string
  readonly cpus: number
  /** Bytes. */
  readonly memory: number
  readonly cgroupVersion: '1' | '2'
  readonly storageDriver: string
  /** Images are in containerd's store: an image's ID is its manifest's digest there, not its config's. */
  readonly containerdStore: boolean
  readonly warnings: readonly string[]
  /** The Engine's own clock, ISO 8601. */
  readonly time: string
  /** Where it keeps images, containers and volumes, on its own machine. */
  readonly rootDirectory: string
  /** Where images and what containers write are instead: the folder of the host's own containerd. */
  readonly imageDirectory?: string
  /** Whether its kernel can cap memory, and memory and swap together. */
  readonly memoryLimit: boolean
  readonly swapLimit: boolean
  /** Containers keep running while the daemon restarts. */
  readonly liveRestore: boolean
  /** It runs as an ordinary user, who may not do all that root may. */
  readonly rootless: boolean
}

export interface DiskUsage {
  /** Bytes; undefined where the volume's driver cannot tell. */
  readonly volumes: readonly { readonly name: string; readonly size?: number }[]
  /** Bytes of what a container wrote over its image. */
  readonly containers: readonly { readonly id: string; readonly written: number }[]
}

export interface EventQuery {
  /** Seconds since 1970, or ISO 8601, by the Engine's clock. */
  readonly since?: string | number
  readonly until?: string | number
  readonly labels?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface EngineEvent {
  /** "container", "volume" … */
  readonly type: string
  /** "die", "oom", "health_status: healthy" … */
  readonly action: string
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** Labels, and "name", "exitCode" and the like. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface ImageSummary {
  readonly id: string
  /** "name:tag". */
  readonly tags: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Bytes. */
  readonly size: number
}

export interface ImageDocument extends ImageSummary {
  /** Diff IDs, bottom first. */
  readonly layers: readonly string[]
  readonly architecture: string
  readonly os: string
}

export interface Images {
  list(): Promise<ImageSummary[]>
  /** By ID or reference; undefined where the Engine has none. */
  inspect(reference: string): Promise<ImageDocument | undefined>
  tag(id: string, reference: string): Promise<void>
  /** By reference (untags, and removes with the last tag) or ID; never forced. */
  remove(reference: string): Promise<void>
  /** Streams an archive in; resolves with the Engine's closing lines. Errors inside its JSON stream are thrown. */
  load(archive: Readable, onLine?: (line: string) => void): Promise<string[]>
}

export interface VolumeSpec {
  readonly name: string
  readonly driver: string
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

export interface Volumes {
  /** By name; an Engine itself gives them in an order that changes from one question to the next. */
  list(): Promise<VolumeDocument[]>
  inspect(name: string): Promise<VolumeDocument | undefined>
  create(spec: VolumeSpec): Promise<void>
  remove(name: string): Promise<void>
}

export interface NetworkSpec {
  readonly name: string
  readonly driver: string
  readonly internal: boolean
  readonly attachable: boolean
  readonly ipv6: boolean
  readonly options: Readonly<Record<string, string>>
  /** Empty: the Engine picks. */
  readonly pools: readonly { readonly subnet: string; readonly gateway?: string }[]
  readonly labels: Readonly<Record<string, string>>
}

export interface Networks {
  /** By name, as volumes. */
  list(): Promise<NetworkDocument[]>
  /** By name or ID. */
  inspect(network: string): Promise<NetworkDocument | undefined>
  /** Returns the ID; refused where a network of that name exists. */
  create(spec: NetworkSpec): Promise<string>
  /** By name or ID. */
  remove(network: string): Promise<void>
}
