import { programName } from '../lib/command-name.ts'
import { exitCodes, SlipwayError } from '../lib/errors.ts'

/** The oldest Engine API spoken: that of Engine 20.10. */
export const oldestApi = '1.41'
/** The newest Engine API this release was written against; a newer Engine is asked to speak it. */
export const newestApi = '1.51'

const unfit = { exitCode: exitCodes.preflightFailed }

/**
 * The API version to speak with an Engine whose newest is `offered` and whose oldest is `minimum` ("1.41").
 * Throws `api-too-old` or `api-too-new`.
 */
export function negotiateApi(offered: string, minimum: string | undefined, engine: string): string {
  if (compareApi(offered, oldestApi) < 0) {
    throw new SlipwayError(
      'api-too-old',
      `Docker Engine ${engine} speaks API ${offered} at most, and ${programName()} needs ${oldestApi} (Engine 20.10): upgrade Docker on that host, then run the same command again.`,
      unfit,
    )
  }
  if (minimum && compareApi(minimum, newestApi) > 0) {
    throw new SlipwayError(
      'api-too-new',
      `Docker Engine ${engine} speaks API ${minimum} at least, and this ${programName()} ${newestApi} at most: run it with a newer ${programName()}.`,
      unfit,
    )
  }
  return compareApi(offered, newestApi) < 0 ? offered : newestApi
}

/** Negative, zero or positive, as `a` is older than, equal to or newer than `b`. */
export function compareApi(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}
