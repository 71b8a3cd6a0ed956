import type { Readable } from 'node:stream'
import type { ContainerDocument, ContainerSpec } from './documents.ts'

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
  /** IDs of the networks that it is on. */
  readonly networks?: readonly string[]
  /** Names of the volumes that it mounts. */
  readonly volumes?: readonly string[]
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
