import { type RunIdentity, samePlace } from './run-identity.ts'

/** Who holds a mutex: the label of its container. */
export interface MutexHolder {
  /** Random, of this run alone. */
  readonly owner: string
  /** "install". */
  readonly verb: string
  readonly run: RunIdentity
}

/** What another run sees of a held mutex. Times are milliseconds since 1970 by the Engine's clock, never by ours. */
export interface MutexSight {
  /** Undefined where the label cannot be read. */
  readonly holder: MutexHolder | undefined
  readonly since: number
  /** How long after `since` it lets go by itself, as last renewed. */
  readonly lease: number
  readonly now: number
  readonly self: RunIdentity
  /** Whether the holder's process lives; asked only of a holder in the same place as `self`. */
  readonly alive: boolean | undefined
}

/** Why a mutex may be taken over, in words; undefined where its holder is at work. Pure. */
export function whyFree({ holder, since, lease, now, self, alive }: MutexSight): string | undefined {
  if (holder && samePlace(holder.run, self) && alive === false) return 'its process has ended'
  if (holder && restartedSince(holder.run, self)) return 'its machine has been restarted since'
  if (now - since >= lease) return `it has not been heard of since ${showTime(since + lease)}`
  return undefined
}

/** Host name and machine ID, since copies of one virtual machine share the ID. */
function restartedSince(holder: RunIdentity, self: RunIdentity): boolean {
  if (holder.machine === undefined || holder.boot === undefined || self.boot === undefined) return false
  return holder.machine === self.machine && holder.host === self.host && holder.boot !== self.boot
}

/** "install, by root on host7 (process 123), since 2026-11-20 12:31:05 UTC (4 min ago)". */
export function describeHolder({ holder, since, now }: Pick<MutexSight, 'holder' | 'since' | 'now'>): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  const ago = seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`
  const when = `since ${showTime(since)} (${ago})`
  if (!holder) return `an unknown run, ${when}`
  const { user, host, pid } = holder.run
  return `${holder.verb}, by ${user} on ${host} (process ${pid}), ${when}`
}

function showTime(time: number): string {
  return `${new Date(time).toISOString().replace('T', ' ').slice(0, 19)} UTC`
}

/** A label is anybody's to write: what does not name a run names nobody. */
export function parseHolder(label: string | undefined): MutexHolder | undefined {
  try {
    const value = JSON.parse(label ?? '') as MutexHolder | null
    const { user, host, pid } = value?.run ?? {}
    const whole =
      typeof value?.owner === 'string' &&
      typeof value.verb === 'string' &&
      typeof user === 'string' &&
      typeof host === 'string' &&
      typeof pid === 'number'
    return whole ? value : undefined
  } catch {
    return undefined
  }
}
