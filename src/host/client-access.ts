import { isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import type { ServiceAccess } from './service-access.ts'

/** What clients of an appliance are given: each as "address:port", the address that leads outward first. */
export interface ClientAccess {
  /** Addresses of the host. */
  readonly addresses: readonly string[]
  readonly proxies: readonly string[]
  readonly nameServers: readonly string[]
}

/**
 * Where clients find an appliance. `addresses`: of its host, the best first. `isSaid`: they are what somebody says that
 * clients reach, so that they count for ports published on one address too. Pure.
 */
export function clientAccess(
  services: readonly Pick<ServiceAccess, 'ports' | 'serves'>[],
  addresses: readonly string[],
  isSaid = false,
): ClientAccess {
  const placesOf = (serves: string): string[] => {
    const ports = services.filter((one) => one.serves === serves).flatMap((one) => one.ports)
    const places = ports.flatMap(({ ip, port }) =>
      (isSaid || isEverywhere(ip) ? addresses : [ip]).map((address) => joinPort(address, port)),
    )
    return [...new Set(places)]
  }
  return { addresses, proxies: placesOf('proxy'), nameServers: placesOf('dns') }
}

/** Interfaces that lead to containers and virtual machines of the host itself; on Windows all but its external switches. */
const inward = /^(?:docker|br-|veth|virbr|cni|flannel|cali|vEthernet \((?:WSL|Default Switch|nat|DockerNAT))/

/** What an interface gives itself where nobody gives it an address (RFC 3927): it leads nowhere, or no further than the link. */
const linkLocal = /^169\.254\./

/**
 * The addresses of the Engine's host, best first: that which `DOCKER_HOST` names; those that `SLIPWAY_HOST_ADDRESSES` gives
 * (the Engine may run in a virtual machine, whose own nobody reaches); else this machine's.
 */
export function hostAddresses(
  endpoint: { readonly host?: string },
  env: NodeJS.ProcessEnv,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): string[] {
  if (endpoint.host) return [endpoint.host]
  const given = (env.SLIPWAY_HOST_ADDRESSES ?? '').split(/[\s,]+/).filter((one) => isIP(one) !== 0)
  if (given.length > 0) return given
  const outward = Object.entries(interfaces)
    .filter(([name]) => !inward.test(name))
    .flatMap(([, list]) => list ?? [])
    .filter(({ family, internal, address }) => family === 'IPv4' && !internal && !linkLocal.test(address))
    .map(({ address }) => address)
  return outward.length > 0 ? [...new Set(outward)] : ['127.0.0.1']
}

function isEverywhere(ip: string): boolean {
  return ip === '' || ip === '0.0.0.0' || ip === '::'
}

function joinPort(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}
