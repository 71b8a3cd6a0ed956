import type { Readable } from 'node:stream'
import type { ContainerDocument, ContainerSpec, NetworkDocument, VolumeDocument } from './documents.ts'
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

export interface PublishedPort {
  readonly ip: string
  readonly port: number
  readonly protocol: string
}

export interface ContainerSummary {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly imageId: string
  /** Seconds since 1970. */
  readonly created: number
  /** "created", "running", "exited" … */
  readonly state: string
  /** In the Engine's words: "Up 3 minutes (healthy)". */
  readonly status: string
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

export interface ExecOptions {
  /** Instead of the container's own. */
  readonly user?: string
  readonly env?: readonly string[]
  /** Milliseconds; then `exec-timeout` is thrown (the program itself goes on). */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

export interface LogQuery {
  /** The last so many lines; all where absent. */
  readonly lines?: number
  /** Seconds since 1970, by the Engine's clock; a text keeps nanoseconds: "1795177465.324093100". */
  readonly since?: number | string
  readonly until?: number
  readonly timestamps?: boolean
  /** Waits for more until the container ends or `signal`. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Buffer
}

/** A path that differs from the image's. */
export interface PathChange {
  readonly path: string
  readonly kind: 'modified' | 'added' | 'deleted'
}

export interface PathStat {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Go's file mode: permission bits as usual, kind in the high bits. */
  readonly mode: number
  /** ISO 8601. */
  readonly mtime: string
  readonly linkTarget: string
}

/** Limits that change while a container runs. Bytes; `memorySwap` counts memory and swap together. */
export interface LimitUpdate {
  readonly memory?: number
  readonly memorySwap?: number
  readonly memoryReservation?: number
  readonly pidsLimit?: number
  readonly restartPolicy?: { readonly name: string; readonly maximumRetries?: number }
}

export interface Containers {
  /** Every container, stopped ones too; with `labels` those that carry all of them. */
  list(labels?: Readonly<Record<string, string>>): Promise<ContainerSummary[]>
  inspect(container: string): Promise<ContainerDocument | undefined>
  /** Returns the ID. `platform` ("linux/arm64") is for an image of another processor than the Engine's. */
  create(name: string, spec: ContainerSpec, platform?: string): Promise<string>
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
  /** As `logs`, chunk by chunk as it comes; a chunk may end within a line. */
  streamLogs(container: string, query?: LogQuery): AsyncIterable<OutputChunk>
  exec(container: string, command: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /**
   * A tar of a file or folder of the container, its volumes included, also when it is stopped or was never started;
   * its entries begin with the path's last name. Undefined where there is no such path or container.
   */
  getArchive(container: string, path: string): Promise<Readable | undefined>
  /** Unpacks a tar (also compressed) into a folder that is there; likewise of a stopped container. */
  putArchive(container: string, directory: string, tar: Readable | Buffer): Promise<void>
  stat(container: string, path: string): Promise<PathStat | undefined>
  /** Every path that differs from the image; volumes and tmpfs are not looked into. */
  changes(container: string): Promise<PathChange[]>
  /** Changes limits in place; resolves with the Engine's warnings. */
  update(container: string, limits: LimitUpdate): Promise<string[]>
  /** Processes of a running container, as `ps` names the columns ("PID", "CMD" …). */
  top(container: string): Promise<Record<string, string>[]>
  /** Bytes that the container wrote over its image; measured, so not for every second. */
  written(container: string): Promise<number | undefined>
}

export interface VolumeSpec {
  readonly name: string
  readonly driver: string
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

export interface Volumes {
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
  list(): Promise<NetworkDocument[]>
  /** By name or ID. */
  inspect(network: string): Promise<NetworkDocument | undefined>
  /** Returns the ID; refused where a network of that name exists. */
  create(spec: NetworkSpec): Promise<string>
  /** By name or ID. */
  remove(network: string): Promise<void>
}
