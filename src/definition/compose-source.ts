import type { ComposeDependency, VolumeContent } from './compose.ts'

/** A Compose file as its schema allows it, variables replaced. */
export interface ComposeSource {
  readonly services: Readonly<Record<string, ServiceSource>>
  readonly volumes?: Readonly<Record<string, VolumeSource | null>>
  readonly networks?: Readonly<Record<string, NetworkSource | null>>
}

type Scalar = string | number | boolean

/** `NAME=text` items or a map. */
export type Pairs = readonly string[] | Readonly<Record<string, Scalar>>

export interface ServiceSource {
  readonly image: string
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly user?: string
  readonly hostname?: string
  readonly environment?: Pairs
  readonly labels?: Pairs
  readonly volumes?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly ports?: readonly (string | number)[]
  readonly networks?: readonly string[]
  readonly depends_on?:
    | readonly string[]
    | Readonly<Record<string, { readonly condition: ComposeDependency['condition'] }>>
  readonly restart?: string
  readonly mem_limit?: string | number
  readonly memswap_limit?: string | number
  readonly pids_limit?: string | number
  readonly cap_add?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly init?: boolean | string
  readonly read_only?: boolean | string
  readonly healthcheck?: HealthcheckSource
  readonly logging?: { readonly driver: string; readonly options?: Readonly<Record<string, Scalar>> }
  readonly stop_signal?: string
  readonly stop_grace_period?: string
  readonly ulimits?: Readonly<Record<string, number | { readonly soft: number; readonly hard: number }>>
  readonly sysctls?: Readonly<Record<string, Scalar>>
  readonly 'x-slipway'?: {
    readonly component?: string
    readonly reload?: readonly string[]
    readonly serves?: 'proxy' | 'dns'
    readonly 'crash-safe'?: boolean
    readonly expected?: readonly string[]
  }
}

export interface HealthcheckSource {
  readonly test: readonly string[]
  readonly interval?: string
  readonly timeout?: string
  readonly start_period?: string
  readonly retries?: string | number
}

interface VolumeSource {
  readonly name?: string
  readonly driver?: string
  readonly driver_opts?: Readonly<Record<string, Scalar>>
  readonly labels?: Pairs
  readonly 'x-slipway'?: { readonly holds?: VolumeContent }
}

interface NetworkSource {
  readonly name?: string
  readonly driver?: string
  readonly driver_opts?: Readonly<Record<string, Scalar>>
  readonly labels?: Pairs
  readonly internal?: boolean | string
}
