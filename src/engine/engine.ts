import type { Readable } from 'node:stream'
import type { ContainerDocument, ContainerSpec, NetworkDocument, VolumeDocument } from './documents.ts'
import type { Endpoint } from './endpoint.ts'

/** The Engine as the rest of Slipway sees it: plain data in and out, every error a SlipwayError. */
export interface Engine {
  readonly endpoint: Endpoint
  readonly version: EngineVersion
  info(): Promise<EngineInfo>
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

export interface PublishedPort {
  readonly ip: string
  readonly port: number
  readonly protocol: string
}

export interface ContainerSummary {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** "created", "running", "exited" … */
  readonly state: string
  /** Of a running container. */
  readonly ports: readonly PublishedPort[]
}

export interface ContainerMemory {
  /** Bytes in use without the page cache that can be dropped, as `docker stats` counts it. */
  readonly used: number
  /** Bytes. */
  readonly limit: number
}

export interface ExecResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface Containers {
  /** Every container, stopped ones too; with `labels` those that carry all of them. */
  list(labels?: Readonly<Record<string, string>>): Promise<ContainerSummary[]>
  inspect(container: string): Promise<ContainerDocument | undefined>
  /** Returns the ID. */
  create(name: string, spec: ContainerSpec): Promise<string>
  start(container: string): Promise<void>
  /** Asks, then kills after `seconds` (the container's own stop timeout unless told). */
  stop(container: string, seconds?: number): Promise<void>
  kill(container: string, signal?: string): Promise<void>
  rename(container: string, name: string): Promise<void>
  /** Also when it runs; its anonymous volumes go with it, named ones never. */
  remove(container: string): Promise<void>
  memory(container: string): Promise<ContainerMemory | undefined>
  /** The last lines of both streams, in order. */
  logs(container: string, lines: number): Promise<string>
  exec(container: string, command: readonly string[]): Promise<ExecResult>
}

export interface VolumeSpec {
  readonly name: string
  readonly driver: string
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

export interface Volumes {
  list(): Promise<VolumeDocument[]>
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
  list(): Promise<NetworkDocument[]>
  /** Returns the ID; refused where a network of that name exists. */
  create(spec: NetworkSpec): Promise<string>
  /** By name or ID. */
  remove(network: string): Promise<void>
}
