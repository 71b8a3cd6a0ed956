/**
 * The parts of the Engine API's own documents that Slipway reads or writes, under the API's own names
 * (Docker Engine API 1.41 and later).
 */

export interface HealthConfig {
  readonly Test?: readonly string[]
  /** Nanoseconds, as the other times here. */
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  /** API 1.44 and later. */
  readonly StartInterval?: number
  readonly Retries?: number
}

export interface PortBinding {
  readonly HostIp: string
  readonly HostPort: string
}

export interface MountSpec {
  readonly Type: 'bind' | 'volume' | 'tmpfs'
  readonly Source?: string
  readonly Target: string
  readonly ReadOnly?: boolean
}

export interface HostConfig {
  readonly NetworkMode?: string
  readonly Binds?: readonly string[]
  readonly Mounts?: readonly MountSpec[]
  readonly Tmpfs?: Readonly<Record<string, string>>
  readonly PortBindings?: Readonly<Record<string, readonly PortBinding[]>>
  readonly RestartPolicy?: { readonly Name: string; readonly MaximumRetryCount?: number }
  readonly LogConfig?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> }
  readonly CapAdd?: readonly string[]
  readonly CapDrop?: readonly string[]
  readonly SecurityOpt?: readonly string[]
  readonly ReadonlyRootfs?: boolean
  readonly Init?: boolean
  readonly Memory?: number
  readonly MemorySwap?: number
  readonly MemoryReservation?: number
  readonly NanoCpus?: number
  readonly PidsLimit?: number
  readonly ShmSize?: number
  readonly Dns?: readonly string[]
  readonly DnsSearch?: readonly string[]
  readonly DnsOptions?: readonly string[]
  readonly ExtraHosts?: readonly string[]
  readonly Sysctls?: Readonly<Record<string, string>>
  readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[]
  readonly GroupAdd?: readonly string[]
  readonly OomScoreAdj?: number
}

export interface EndpointSettings {
  readonly Aliases?: readonly string[] | null
  readonly NetworkID?: string
  readonly IPAddress?: string
  readonly Gateway?: string
  readonly IPAMConfig?: { readonly IPv4Address?: string } | null
}

/** The body of `POST /containers/create`. */
export interface ContainerSpec {
  readonly Image: string
  readonly Cmd?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Env?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
  readonly Hostname?: string
  readonly Domainname?: string
  readonly Tty?: boolean
  readonly OpenStdin?: boolean
  readonly StopSignal?: string
  /** Seconds. */
  readonly StopTimeout?: number
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>
  readonly Healthcheck?: HealthConfig
  readonly Labels: Readonly<Record<string, string>>
  readonly HostConfig: HostConfig
  readonly NetworkingConfig?: { readonly EndpointsConfig: Readonly<Record<string, EndpointSettings>> }
}

export interface ContainerDocument {
  readonly Id: string
  /** With the leading slash. */
  readonly Name: string
  readonly Created: string
  /** The image's ID. */
  readonly Image: string
  readonly RestartCount: number
  readonly State: {
    readonly Status: string
    readonly Running: boolean
    readonly Restarting: boolean
    readonly OOMKilled: boolean
    readonly ExitCode: number
    readonly Error: string
    /** On the Engine's machine; 0 where it does not run. */
    readonly Pid?: number
    readonly StartedAt: string
    readonly FinishedAt: string
    readonly Health?: {
      readonly Status: string
      readonly FailingStreak: number
      readonly Log?:
        | readonly {
            readonly Start?: string
            readonly End?: string
            readonly ExitCode: number
            readonly Output: string
          }[]
        | null
    }
  }
  readonly Config: Omit<ContainerSpec, 'HostConfig' | 'NetworkingConfig'> & {
    /** What CMD-SHELL starts with; absent: /bin/sh -c. */
    readonly Shell?: readonly string[] | null
  }
  readonly HostConfig: HostConfig
  readonly Mounts: readonly {
    readonly Type: string
    readonly Name?: string
    readonly Source: string
    readonly Destination: string
    readonly RW: boolean
  }[]
  /** With overlay2: `UpperDir` is the container's own layer, on the Engine's machine. */
  readonly GraphDriver?: { readonly Data?: Readonly<Record<string, string>> | null }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> }
}

export interface VolumeDocument {
  readonly Name: string
  readonly Driver: string
  readonly Mountpoint: string
  readonly Labels: Readonly<Record<string, string>> | null
  readonly Options: Readonly<Record<string, string>> | null
}

export interface NetworkDocument {
  readonly Id: string
  readonly Name: string
  readonly Driver: string
  readonly Labels: Readonly<Record<string, string>> | null
}
