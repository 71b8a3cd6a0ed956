/** A Compose file (Compose specification), reduced to what Slipway runs, with variables replaced and units parsed. */
export interface Compose {
  /** In the file's order. */
  readonly services: readonly ComposeService[]
  readonly volumes: readonly ComposeVolume[]
  /** Holds `default` where a service names no network. */
  readonly networks: readonly ComposeNetwork[]
}

export interface ComposeService {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly user?: string
  readonly hostname?: string
  readonly environment: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly mounts: readonly ComposeMount[]
  readonly tmpfs: readonly ComposeTmpfs[]
  readonly ports: readonly ComposePort[]
  /** Names in `Compose.networks`; at least one. */
  readonly networks: readonly string[]
  readonly dependsOn: readonly ComposeDependency[]
  readonly restart: RestartPolicy
  /** Bytes. */
  readonly memory?: number
  /** Bytes of memory and swap together, as the Engine counts. */
  readonly memorySwap?: number
  readonly pidsLimit?: number
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly securityOpt: readonly string[]
  readonly init: boolean
  readonly readOnly: boolean
  readonly healthcheck?: Healthcheck
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<string, string>> }
  readonly stopSignal?: string
  /** Milliseconds. */
  readonly stopGracePeriod?: number
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  readonly sysctls: Readonly<Record<string, string>>
  /** `x-slipway`: the component it runs, and the command that makes it take a changed limit. */
  readonly component?: string
  readonly reload?: readonly string[]
  /** What clients use its published ports as. */
  readonly serves?: 'proxy' | 'dns'
  /** What it keeps on volumes survives a kill, and nobody waits for its end. */
  readonly crashSafe?: boolean
  /** Globs of paths that the running service may change: no drift. */
  readonly expected?: readonly string[]
}

export interface ComposeMount {
  readonly type: 'volume' | 'bind'
  /** A name in `Compose.volumes`, or a path as the file writes it. */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
}

export interface ComposeTmpfs {
  readonly target: string
  /** Mount options as the Engine takes them ("mode=0755,size=8m"); empty for none. */
  readonly options: string
}

export interface ComposePort {
  readonly target: number
  readonly protocol: 'tcp' | 'udp'
  /** Absent: the Engine chooses. */
  readonly published?: number
  readonly hostAddress?: string
}

export interface ComposeDependency {
  readonly service: string
  readonly condition: 'service_started' | 'service_healthy'
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure'
  /** Only with `on-failure`. */
  readonly maximumRetries?: number
}

/** Times in milliseconds. */
export interface Healthcheck {
  readonly test: readonly string[]
  readonly interval?: number
  readonly timeout?: number
  readonly startPeriod?: number
  readonly retries?: number
}

/** What a volume holds decides which reset may delete it. */
export type VolumeContent = 'cache' | 'settings' | 'licence' | 'state'

export interface ComposeVolume {
  readonly key: string
  /** A name that is used as it stands; absent: the project's name goes before the key. */
  readonly name?: string
  readonly driver?: string
  readonly driverOptions: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly holds?: VolumeContent
}

export interface ComposeNetwork {
  readonly key: string
  readonly name?: string
  readonly driver?: string
  readonly driverOptions: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly internal: boolean
}
