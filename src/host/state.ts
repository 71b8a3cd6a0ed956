import type { MemoryLimit } from './target.ts'

/** What a host holds, as far as one appliance is concerned: plain data, taken from the Engine. */
export interface HostState {
  readonly name: string
  /** Every image of the Engine. */
  readonly images: readonly { readonly id: string; readonly tags: readonly string[] }[]
  /** Only what carries the appliance's label, here and below. */
  readonly networks: readonly HostNetwork[]
  readonly volumes: readonly HostVolume[]
  readonly containers: readonly HostContainer[]
  /** Names of its containers that are no service's: those through which its state and its volumes are read. */
  readonly helpers: readonly string[]
  /** What others have on the same Engine: names that are taken, and ports. */
  readonly foreign: Foreign
}

export interface HostNetwork {
  readonly id: string
  readonly name: string
  /** The hash it was made with. */
  readonly hash: string
  /** Names of containers of others that are on it; absent: none. */
  readonly guests?: readonly string[]
}

export interface HostVolume {
  readonly name: string
  /** Its key in the Compose file; absent for what is no service's. */
  readonly key?: string
  /** "cache", "settings", "licence", "state", where the product says so. */
  readonly holds?: string
  /** The product that made it; absent where no label says so. */
  readonly product?: string
  /** Names of containers of others that mount it, stopped ones too; absent: none. */
  readonly guests?: readonly string[]
  readonly driver: string
  readonly options: Readonly<Record<string, string>>
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

export interface HostContainer {
  readonly id: string
  readonly name: string
  readonly service: string
  readonly hash: string
  readonly release: string
  /** Absent where its label was lost. */
  readonly product?: string
  /** The profile it was installed with. */
  readonly profile: string
  readonly imageId: string
  /** All IDs by which Engines may know that image. */
  readonly imageIds: readonly string[]
  readonly status: ContainerStatus
  /** ISO 8601; absent where it does not run. */
  readonly startedAt?: string
  /** `none`: it has no health check. */
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** Network name → ID; an ID is empty before the first start. */
  readonly networks: Readonly<Record<string, string>>
  /** Names of the volumes it mounts. */
  readonly volumes: readonly string[]
  /** Key of a volume that it mounts → what that holds by its release; absent where its label does not say. */
  readonly contents?: Readonly<Record<string, string>>
  /** Host ports that it asks for. */
  readonly ports: readonly HostPort[]
  /** Absent: none. */
  readonly limit?: MemoryLimit
  /** Command in the container that makes it take a changed limit or file. */
  readonly reload?: readonly string[]
  /** What its service keeps survives a kill. */
  readonly crashSafe?: boolean
}

/** A port of the host; `ip` is empty or 0.0.0.0 or :: for all addresses. */
export interface HostPort {
  readonly ip: string
  readonly port: number
  readonly protocol: string
}

export interface Foreign {
  readonly containers: readonly string[]
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  /** Ports in use by others, with who holds them in words ("container web", "another program"). */
  readonly ports: readonly (HostPort & { readonly holder: string })[]
}
