import { type Digest, digestOf } from '../lib/digest.ts'
import { errorCode, SlipwayError } from '../lib/errors.ts'
import { shownUrl } from '../lib/url-user.ts'
import { type DownloadOptions, downloadBytes } from './download.ts'
import type { Keyring } from './keyring.ts'
import { type MirrorChoice, type MirrorKind, snapshotTime } from './mirrors.ts'
import { type VerifiedRelease, verifyRelease } from './release.ts'

/** The state of a suite that packages are taken from; what the lock keeps of it. */
export interface ArchiveRelease {
  readonly suite: string
  /** Which of the two mirrors serves it. */
  readonly mirror: MirrorKind
  readonly inRelease: Digest
  /** ISO 8601 UTC, whole seconds. */
  readonly date: string
  readonly validUntil?: string
  /** Why Valid-Until was not enforced, in words. */
  readonly validUntilWaived?: string
  /** Fingerprints of the primary keys whose signatures verified, upper-case hex. */
  readonly signedBy: readonly string[]
}

/** A suite whose InRelease is verified. */
export interface OpenedSuite {
  readonly release: VerifiedRelease
  readonly record: ArchiveRelease
  /** The mirror that served it, without a slash at the end. */
  readonly mirror: string
}

/** An InRelease of Debian's own has 140 kB. */
const largestInRelease = 16_000_000

/** An apt source of the host that answers so is another archive's, and the next one is asked. */
const otherArchive = new Set(['not-found', 'download-failed', 'not-signed', 'unknown-key', 'wrong-suite'])

/**
 * Fetches and verifies a suite's InRelease. Where the mirror was only found among the host's apt sources, which may
 * be other vendors', each is asked until one serves this suite with a good signature; `no-mirror` when none does.
 */
export async function openSuite(
  suite: string,
  choice: MirrorChoice,
  keyring: Keyring,
  validUntil: 'required' | 'enforced',
  now: Date,
  options: DownloadOptions,
): Promise<OpenedSuite> {
  const failures: SlipwayError[] = []
  for (const mirror of choice.urls) {
    try {
      return await openAt(suite, choice.kind, mirror, keyring, validUntil, now, options)
    } catch (error) {
      if (!choice.found || !(error instanceof SlipwayError) || !otherArchive.has(errorCode(error) ?? ''))
        throw error
      failures.push(error)
    }
  }
  const [setting, variable] =
    choice.kind === 'main'
      ? ['debian.mirror', 'SLIPWAY_MIRROR']
      : ['debian.securityMirror', 'SLIPWAY_SECURITY_MIRROR']
  throw new SlipwayError(
    'no-mirror',
    `None of this host's apt sources serves ${suite}; set ${setting} in appliance.yaml, or ${variable}. ${failures.map((failure) => failure.message).join(' ')}`,
    { cause: failures[0] },
  )
}

async function openAt(
  suite: string,
  kind: MirrorKind,
  mirror: string,
  keyring: Keyring,
  validUntil: 'required' | 'enforced',
  now: Date,
  options: DownloadOptions,
): Promise<OpenedSuite> {
  const url = `${mirror}/dists/${suite}/InRelease`
  const data = await downloadBytes(
    { url, name: `The InRelease of ${suite}`, limit: largestInRelease },
    options,
  ).catch((error: unknown) => {
    if (errorCode(error) !== 'not-found') throw error
    throw new SlipwayError(
      'not-found',
      `There is no suite ${suite} at ${shownUrl(mirror)} (${shownUrl(url)} answers 404); correct debian.suite in appliance.yaml, or set another mirror (debian.mirror there, or SLIPWAY_MIRROR).`,
      { cause: error },
    )
  })
  const snapshot = snapshotTime(mirror)
  const release = await verifyRelease(data, keyring, {
    suite,
    now,
    from: shownUrl(url),
    validUntil: snapshot === undefined ? validUntil : 'waived',
  })
  const record: ArchiveRelease = {
    suite,
    mirror: kind,
    inRelease: digestOf(data),
    date: isoSeconds(release.date),
    ...(release.validUntil ? { validUntil: isoSeconds(release.validUntil) } : {}),
    ...(snapshot === undefined
      ? {}
      : { validUntilWaived: `Valid-Until is not enforced: the mirror is a snapshot of ${snapshot}.` }),
    signedBy: release.signedBy,
  }
  return { release, record, mirror }
}

function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
