/** What a WAN link is like: the same both ways. */
export interface LinkSpeed {
  /** Milliseconds from one end to the other. */
  readonly latency: number
  readonly bitsPerSecond: number
}

/** One direction of a link: bytes leave one after another at the link's rate, and arrive `latency` later. */
export interface Line {
  /** Puts `bytes` on the line at `now`; returns when the last of them arrives. Times are milliseconds. */
  readonly send: (bytes: number, now: number) => number
  /** Milliseconds until everything sent so far has left. */
  readonly backlog: (now: number) => number
}

/**
 * A line without a clock of its own: arrival times follow from the times of sending alone, so that late timers don't
 * add up and a rate can be tested without waiting.
 */
export function createLine(speed: LinkSpeed): Line {
  const bytesPerMillisecond = speed.bitsPerSecond / 8 / 1000
  let freeAt = Number.NEGATIVE_INFINITY
  return {
    send: (bytes, now) => {
      freeAt = Math.max(freeAt, now) + bytes / bytesPerMillisecond
      return freeAt + speed.latency
    },
    backlog: (now) => Math.max(0, freeAt - now),
  }
}
