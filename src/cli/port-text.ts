import type { HostPort } from '../host/state.ts'

/** "53/udp", or "127.0.0.1:53/udp" where it is published on one address. */
export function showPort({ ip, port, protocol }: HostPort): string {
  const everywhere = ip === '' || ip === '0.0.0.0' || ip === '::'
  return `${everywhere ? '' : `${ip.includes(':') ? `[${ip}]` : ip}:`}${port}/${protocol}`
}
