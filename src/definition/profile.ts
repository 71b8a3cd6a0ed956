import { formatSize } from './size.ts'

/** How much, and for whom: `profiles/<name>.yaml` with what it extends merged in. */
export interface Profile {
  readonly name: string
  readonly description: string
  /** Service name of the Compose file → its share. */
  readonly services: Readonly<Record<string, ServiceProfile>>
  /** CIDR networks whose clients are served; absent: the Compose file's default. */
  readonly allowedNetworks?: readonly string[]
  /** Addresses of the DNS servers to ask; absent: the host's own. */
  readonly upstreamDns?: readonly string[]
  readonly maintenance?: MaintenanceWindow
}

export interface ServiceProfile {
  /** Bytes. */
  readonly memory?: number
  /** As the service understands it: a size ("2g") or a number of entries ("5000"). */
  readonly cache?: string
  /** The host's port ("53"), or address and port ("192.0.2.1:53"). */
  readonly port?: string
  /** As Compose writes it: "unless-stopped". */
  readonly restart?: string
  /** What only this service understands: name → value, `role` of `tunnel` as the variable TUNNEL_ROLE. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface MaintenanceWindow {
  readonly days: readonly Weekday[]
  /** "02:00"; a `to` before `from` is on the next day. */
  readonly from: string
  readonly to: string
  /** IANA name. */
  readonly timezone: string
}

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'

/**
 * The Compose variables that a profile sets: `<SERVICE>_MEMORY`, `_CACHE`, `_PORT` (with `_ADDRESS` where the port has
 * one), `_RESTART`, one for each of the service's own settings, and `ALLOWED_NETWORKS`, `UPSTREAM_DNS`. What the profile leaves open keeps the Compose file's default.
 */
export function profileVariables(profile: Profile): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const [service, share] of Object.entries(profile.services)) {
    const { address, port } = splitPort(share.port)
    const memory = share.memory === undefined ? undefined : formatSize(share.memory)
    const values = { memory, cache: share.cache, address, port, restart: share.restart }
    for (const key of ['memory', 'cache', 'address', 'port', 'restart'] as const) {
      const value = values[key]
      if (value !== undefined) variables[serviceVariable(service, key)] = value
    }
    for (const [name, value] of Object.entries(share.settings ?? {})) {
      variables[serviceVariable(service, name)] = value
    }
  }
  if (profile.allowedNetworks) variables.ALLOWED_NETWORKS = profile.allowedNetworks.join(' ')
  if (profile.upstreamDns) variables.UPSTREAM_DNS = profile.upstreamDns.join(' ')
  return variables
}

/** "192.0.2.1:53" → its two parts; "53" has no address. */
export function splitPort(text: string | undefined): { address?: string; port?: string } {
  if (text === undefined) return {}
  const colon = text.lastIndexOf(':')
  return colon < 0 ? { port: text } : { address: text.slice(0, colon), port: text.slice(colon + 1) }
}

/** "wan-cache", "memory" → "WAN_CACHE_MEMORY"; "tunnel", "keyFile" → "TUNNEL_KEY_FILE". */
export function serviceVariable(service: string, key: string): string {
  const words = key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
  return `${service}_${words}`.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')
}

/** What a service's own settings are called, from the variables of the Compose file: TUNNEL_KEY_FILE → "keyFile". */
export function settingNames(service: string, variables: Iterable<string>): string[] {
  const prefix = serviceVariable(service, '')
  return [...variables]
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length).toLowerCase())
    .map((name) => name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()))
    .filter((name) => !['memory', 'cache', 'address', 'port', 'restart'].includes(name))
    .sort()
}
