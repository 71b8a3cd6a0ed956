import { setTimeout as wait } from 'node:timers/promises'
import type { Engine } from '../../engine/engine.ts'
import { commandName } from '../../lib/command-name.ts'
import { errorCode, SlipwayError } from '../../lib/errors.ts'
import type { ApplianceAccess } from './appliance-access.ts'
import { type Endpoint, type Fetch, fetchObject, lookUp } from './client.ts'
import { addForward, removeForward } from './forward.ts'
import type { LinkSpeed } from './line.ts'
import { type Origin, openOrigin, zone } from './origin.ts'
import { openWanLink } from './wan-link.ts'

/** What a client saw, in milliseconds. */
export interface Sight {
  readonly lookup: number
  readonly fetch: number
}

/** What the proof measured. All bodies were compared before this exists. */
export interface Proof {
  readonly link: { readonly roundTrip: number; readonly bitsPerSecond: number }
  readonly objectBytes: number
  /** Hex SHA-256, the same each time. */
  readonly sha256: string
  readonly direct: Sight
  readonly first: Sight
  readonly again: Sight
  /** How often the far end was asked in all: directly once, through the appliance once. */
  readonly farEnd: { readonly lookups: number; readonly fetches: number }
  /** What the optimiser said of the second fetch, where it says it. */
  readonly cacheHeader?: string
}

export interface ProofOptions {
  readonly speed: LinkSpeed
  readonly objectBytes: number
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export const branchLink: LinkSpeed = { latency: 40, bitsPerSecond: 10_000_000 }

/**
 * Looks a name up and fetches an object over a simulated WAN link: directly, then twice through the appliance. The DNS
 * cache forwards the proof's zone to the far end meanwhile; that is taken back whatever happens. Throws `proof-failed`
 * where the bytes differ, or the far end was asked again for what the appliance should have kept.
 */
export async function prove(engine: Engine, access: ApplianceAccess, options: ProofOptions): Promise<Proof> {
  const origin = await openOrigin(options.objectBytes)
  try {
    const link = await openWanLink({
      speed: options.speed,
      address: access.gateway,
      tcpTarget: origin.httpPort,
      udpTarget: origin.dnsPort,
    })
    try {
      const farNames = { address: link.address, port: link.udpPort }
      const url = new URL(`http://${link.address}:${link.tcpPort}${origin.path}`)
      // The first datagram of a process is slow to leave; it shall not be a measured one.
      await lookUp(farNames, origin.readyName(), options.signal)
      options.say('Directly, over the link')
      const direct = await see(farNames, undefined, url, origin, options.signal)
      try {
        await addForward(engine, access.namesContainer, zone, farNames)
        await waitForForward(access.names, origin, options.signal)
        options.say('Through the appliance, for the first time')
        const first = await see(access.names, access.proxy, url, origin, options.signal)
        options.say('Through the appliance, again')
        const again = await see(access.names, access.proxy, url, origin, options.signal)
        return conclude(options, origin, { direct, first, again })
      } finally {
        await removeForward(engine, access.namesContainer, zone)
      }
    } finally {
      await link.close()
    }
  } finally {
    await origin.close()
  }
}

interface Seen {
  readonly lookup: number
  readonly fetched: Fetch
}

async function see(
  names: Endpoint,
  proxy: Endpoint | undefined,
  url: URL,
  origin: Origin,
  signal: AbortSignal,
): Promise<Seen> {
  const { milliseconds, addresses } = await lookUp(names, origin.name, signal)
  if (addresses.join() !== origin.address)
    throw failed(
      `${names.address}:${names.port} answered ${addresses.join()} for ${origin.name}, not ${origin.address}`,
    )
  const fetched = await fetchObject(url, proxy, signal)
  if (fetched.sha256 !== origin.sha256)
    throw failed(
      `${url.href} came with other bytes (${fetched.bytes} of ${origin.size}, sha256 ${fetched.sha256})`,
    )
  return { lookup: milliseconds, fetched }
}

/** A service takes its signals when it gets to them: asks for a name of no meaning until the far end is asked. */
async function waitForForward(names: Endpoint, origin: Origin, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline) {
    try {
      await lookUp(names, origin.readyName(), signal)
      return
    } catch (error) {
      if (errorCode(error) !== 'name-refused') throw error
    }
    await wait(50, undefined, { signal })
  }
  throw failed(`the DNS cache did not take up the forward for ${zone} in 10 s`)
}

function conclude(
  options: ProofOptions,
  origin: Origin,
  seen: { readonly direct: Seen; readonly first: Seen; readonly again: Seen },
): Proof {
  const farEnd = { lookups: origin.nameQueries(), fetches: origin.objectRequests() }
  if (farEnd.fetches !== 2)
    throw failed(`the far end was asked for the object ${farEnd.fetches} times, and 2 were to be expected`)
  if (farEnd.lookups !== 2)
    throw failed(`the far end was asked for the name ${farEnd.lookups} times, and 2 were to be expected`)
  const { cacheHeader } = seen.again.fetched
  return {
    link: { roundTrip: 2 * options.speed.latency, bitsPerSecond: options.speed.bitsPerSecond },
    objectBytes: origin.size,
    sha256: origin.sha256,
    direct: sightOf(seen.direct),
    first: sightOf(seen.first),
    again: sightOf(seen.again),
    farEnd,
    ...(cacheHeader === undefined ? {} : { cacheHeader }),
  }
}

function sightOf({ lookup, fetched }: Seen): Sight {
  return { lookup: round(lookup), fetch: round(fetched.milliseconds) }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}

function failed(reason: string): SlipwayError {
  return new SlipwayError(
    'proof-failed',
    `The proof failed: ${reason}; see what the services say: ${commandName()} logs.`,
  )
}
