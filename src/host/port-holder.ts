import { readdir, readFile, readlink } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import type { Engine } from '../engine/engine.ts'

export type Protocol = 'tcp' | 'udp'

/** Who listens on a port of this host: a process, or only that somebody does. */
export interface PortHolder {
  readonly port: number
  readonly protocol: Protocol
  readonly process?: { readonly pid: number; readonly name: string }
}

/** Finds who holds a port, from /proc (proc(5)); undefined where nobody does, and on other systems than Linux. */
export async function findPortHolder(port: number, protocol: Protocol): Promise<PortHolder | undefined> {
  const tables = await Promise.all([protocol, `${protocol}6`].map((name) => readTable(name)))
  const inodes = tables.flatMap((table) => listeningInodes(table, port, protocol))
  if (inodes.length === 0) return undefined
  const process = await findProcess(new Set(inodes.map((inode) => `socket:[${inode}]`)))
  return { port, protocol, ...(process && { process }) }
}

/**
 * The name of a running container that is in its host's own network, and whose image says that it listens on the port:
 * the Engine publishes nothing of it. Undefined where there is none.
 */
export async function findPortContainer(
  { containers }: Engine,
  port: number,
  protocol: Protocol,
): Promise<string | undefined> {
  const running = (await containers.list()).filter(({ state }) => state === 'running')
  const documents = await Promise.all(running.map(({ id }) => containers.inspect(id)))
  const holder = documents.find(
    (one) =>
      one?.HostConfig.NetworkMode === 'host' && `${port}/${protocol}` in (one.Config.ExposedPorts ?? {}),
  )
  return holder?.Name.replace(/^\//, '')
}

/**
 * Whether somebody holds a port, by the kernel's tables alone, which every user may read. `ip`: the address wanted, or ''
 * for all of them. A listener on one address is in the way of all, and one on all in the way of each.
 */
export async function isListed(ip: string, port: number, protocol: Protocol): Promise<boolean> {
  const tables = await Promise.all([protocol, `${protocol}6`].map((name) => readTable(name)))
  return tables.some((table) => isHeld(table, ip, port, protocol))
}

/** `isListed` of one table. Pure. */
export function isHeld(table: string, ip: string, port: number, protocol: Protocol): boolean {
  const held = listening(table, port, protocol).map((fields) => fields[1]!.split(':')[0]!)
  // An IPv6 address is not looked for: the Engine tells.
  const wanted = isIPv4(ip) ? ip.split('.').reverse().map(hexByte).join('') : undefined
  const all = ip === '' || ip === '0.0.0.0' || ip === '::'
  return held.some((address) => all || /^0+$/.test(address) || address.slice(-8) === wanted)
}

function hexByte(decimal: string): string {
  return Number(decimal).toString(16).toUpperCase().padStart(2, '0')
}

/** Inodes of the sockets of a /proc/net table that are bound to `port`: TCP ones that listen, UDP ones without peer. */
export function listeningInodes(table: string, port: number, protocol: Protocol): string[] {
  return listening(table, port, protocol).map((fields) => fields[9] ?? '')
}

/** The lines of those sockets, as fields. */
function listening(table: string, port: number, protocol: Protocol): string[][] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const state = protocol === 'tcp' ? '0A' : '07'
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === state)
}

async function readTable(name: string): Promise<string> {
  return readFile(`/proc/net/${name}`, 'utf8').catch(() => '')
}

/** Processes of other users show their sockets only to root: then undefined. */
async function findProcess(links: ReadonlySet<string>): Promise<PortHolder['process']> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const descriptor of descriptors) {
      const link = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')
      if (!links.has(link)) continue
      const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim()
      return { pid: Number(pid), name: name || 'a process' }
    }
  }
  return undefined
}
