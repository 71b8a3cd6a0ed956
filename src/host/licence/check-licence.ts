import { judgeLicence, missingFeatures } from '../../bundle/licence/judge-licence.ts'
import type { Licence } from '../../bundle/licence/licence.ts'
import { commandName } from '../../lib/command-name.ts'
import { badInput, exitCodes, SlipwayError } from '../../lib/errors.ts'
import type { HostContainer } from '../state.ts'

/** A licence whose signature was found good. */
export interface HeldLicence {
  readonly licence: Licence
  /** When it first came to the host: ISO 8601. */
  readonly since: string
}

export interface LicenceQuestion {
  readonly product: string
  /** Features that the components of the release ask for. */
  readonly wanted: readonly string[]
  /** Given with this command; absent: the one on the host counts. */
  readonly given?: HeldLicence
  /** On the host; 'forged' where no key of the product signed it. */
  readonly installed?: HeldLicence | 'forged'
  /** The release that is there now, where one is (`presentRelease`). */
  readonly running?: string
  readonly release: string
  readonly now: Date
}

/** The release that runs; where everything is stopped, as after its host was started, `wanted` if that is there. Pure. */
export function presentRelease(
  containers: readonly Pick<HostContainer, 'release' | 'status'>[],
  wanted: string,
): string | undefined {
  const present =
    containers.find(({ status }) => status === 'running') ??
    containers.find(({ release }) => release === wanted) ??
    containers[0]
  return present?.release
}

/**
 * Whether an install may go on. What runs already is never stopped for a licence: without a good one only another
 * release is refused. Returns what is to be said. Pure. Throws `licence-needed`, `licence-of-other-product`,
 * `licence-features` (exit code 2), `licence-expired`, `licence-forged` (3).
 */
export function checkLicence(question: LicenceQuestion): string[] {
  const { product, wanted, given, installed, running, release, now } = question
  if (given) {
    refuseUnfit(given, question)
    return []
  }
  if (wanted.length === 0) return []
  const goesOn = running === release
  const trouble = troubleOf(installed, wanted, now)
  if (!trouble) return []
  const ask = `put ${installed ? 'a new one' : 'it'} in place with \`${commandName()} install --licence FILE\``
  if (goesOn)
    return [`${trouble.said}: ${product} ${release} goes on as it is, and takes no other release; ${ask}.`]
  const still = running === undefined ? '' : ` ${product} ${running} goes on as it is;`
  throw new SlipwayError(
    trouble.code,
    `${trouble.said}, so release ${release} is not installed;${still} ${ask}.`,
    {
      exitCode: trouble.code === 'licence-needed' ? exitCodes.badInput : exitCodes.preflightFailed,
    },
  )
}

function troubleOf(
  installed: LicenceQuestion['installed'],
  wanted: readonly string[],
  now: Date,
): { code: string; said: string } | undefined {
  if (!installed) return { code: 'licence-needed', said: `A licence for ${wanted.join(', ')} is needed` }
  if (installed === 'forged')
    return { code: 'licence-forged', said: 'The licence on the host was signed by no key of this product' }
  const { customer } = installed.licence
  const judged = judgeLicence(installed.licence, new Date(installed.since), now)
  if (judged.state === 'expired')
    return { code: 'licence-expired', said: `The licence of ${customer} ended on ${dayOf(judged.until)}` }
  const missing = missingFeatures(installed.licence, wanted)
  if (missing.length > 0)
    return {
      code: 'licence-features',
      said: `The licence of ${customer} does not grant ${missing.join(', ')}`,
    }
  return undefined
}

function refuseUnfit({ licence, since }: HeldLicence, { product, wanted, now }: LicenceQuestion): void {
  const { customer } = licence
  if (licence.product !== product) {
    throw badInput(
      'licence-of-other-product',
      `The licence of ${customer} is for ${licence.product}, and this is ${product}; ask for one for ${product}.`,
    )
  }
  const missing = missingFeatures(licence, wanted)
  if (missing.length > 0) {
    throw badInput(
      'licence-features',
      `The licence of ${customer} does not grant ${missing.join(', ')}; ask for one that does.`,
    )
  }
  const judged = judgeLicence(licence, new Date(since), now)
  if (judged.state === 'expired') {
    throw badInput(
      'licence-expired',
      `The licence of ${customer} ended on ${dayOf(judged.until)}; ask for a new one.`,
    )
  }
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10)
}
