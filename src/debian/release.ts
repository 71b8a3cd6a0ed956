import { SlipwayError } from '../lib/errors.ts'
import { fieldOf, parseStanzas } from './deb822.ts'
import type { Keyring } from './keyring.ts'
import { day, verifySignedText } from './signed-text.ts'

/** What an archive's Release file says (Debian repository format, "Release" files). */
export interface Release {
  readonly codename: string
  /** "stable", "stable-security" …; empty where it has none. */
  readonly suite: string
  readonly date: Date
  readonly validUntil?: Date
  readonly architectures: readonly string[]
  /** Debian's archive components, without the "updates/" that the security archive puts before them. */
  readonly components: readonly string[]
  readonly acquireByHash: boolean
  /** Whether packages of architecture `all` stand in an index of their own only. */
  readonly separateAll: boolean
  /** Path below the Release file's folder → size and hex SHA-256. */
  readonly files: ReadonlyMap<string, ReleaseFile>
}

export interface ReleaseFile {
  readonly sha256: string
  readonly size: number
}

export interface VerifiedRelease extends Release {
  /** Fingerprints of the primary keys whose signatures verified, upper-case hex. */
  readonly signedBy: readonly string[]
}

export interface ReleaseRules {
  /** Codename or Suite that is wanted: "trixie-security". */
  readonly suite: string
  readonly now: Date
  /**
   * Valid-Until: `enforced` where there is one (stable has none), `required` where the archive always gives one
   * (security), `waived` for a snapshot.
   */
  readonly validUntil: 'required' | 'enforced' | 'waived'
  /** Where it came from, for errors: "http://mirror.example/debian/dists/trixie/InRelease". */
  readonly from: string
}

/**
 * Verifies an InRelease file and reads the text that was signed, nothing else of it. Refuses a bad signature
 * (`verifySignedText`), another suite (`wrong-suite`), a Date more than a day ahead (`release-from-future`), a
 * Valid-Until that is over (`release-expired`) or missing (`no-valid-until`), and a text that cannot be read
 * (`bad-release`).
 */
export async function verifyRelease(
  data: Uint8Array,
  keyring: Keyring,
  rules: ReleaseRules,
): Promise<VerifiedRelease> {
  const what = `The InRelease of ${rules.suite} at ${rules.from}`
  const { text, signedBy } = await verifySignedText(data, keyring, rules.now, what)
  const release = parseRelease(text, what)
  checkRelease(release, rules, what)
  return { ...release, signedBy }
}

/** Reads the text of a Release file; throws `bad-release`. */
export function parseRelease(text: string, what: string): Release {
  const refuse = (why: string) => new SlipwayError('bad-release', `${what} cannot be used: ${why}.`)
  const stanzas = parseStanzas(text, what)
  const stanza = stanzas[0]
  if (!stanza || stanzas.length > 1) throw refuse('it is not one stanza of fields')
  const words = (name: string) => (fieldOf(stanza, name) ?? '').split(/\s+/).filter((word) => word !== '')
  const date = (name: string): Date | undefined => {
    const value = fieldOf(stanza, name)
    if (value === undefined) return undefined
    const time = Date.parse(value)
    if (Number.isNaN(time)) throw refuse(`its ${name} "${value}" is not a date`)
    return new Date(time)
  }
  const released = date('Date')
  if (!released) throw refuse('it has no Date')
  const listed = fieldOf(stanza, 'SHA256')
  if (listed === undefined) throw refuse('it has no SHA256 list')
  const validUntil = date('Valid-Until')
  return {
    codename: fieldOf(stanza, 'Codename') ?? '',
    suite: fieldOf(stanza, 'Suite') ?? '',
    date: released,
    ...(validUntil ? { validUntil } : {}),
    architectures: words('Architectures'),
    components: words('Components').map((name) => name.replace(/^updates\//, '')),
    acquireByHash: fieldOf(stanza, 'Acquire-By-Hash') === 'yes',
    separateAll:
      words('Architectures').includes('all') &&
      !words('No-Support-for-Architecture-all').includes('Packages'),
    files: parseFiles(listed, refuse),
  }
}

function parseFiles(listed: string, refuse: (why: string) => SlipwayError): Map<string, ReleaseFile> {
  const files = new Map<string, ReleaseFile>()
  for (const line of listed.split('\n')) {
    if (line.trim() === '') continue
    const match = /^\s*([0-9a-f]{64})\s+(\d{1,15})\s+(\S+)$/.exec(line)
    if (!match) throw refuse(`"${line.trim().slice(0, 80)}" is no line of a SHA256 list`)
    files.set(match[3]!, { sha256: match[1]!, size: Number(match[2]) })
  }
  return files
}

function checkRelease(release: Release, rules: ReleaseRules, what: string): void {
  const { now } = rules
  const refuse = (code: string, why: string) => new SlipwayError(code, `${what} ${why}`)
  if (rules.suite !== release.codename && rules.suite !== release.suite) {
    throw refuse(
      'wrong-suite',
      `is that of ${release.codename || '(no codename)'} (${release.suite || 'no suite'}), so it is refused; correct debian.suite or debian.mirror in appliance.yaml.`,
    )
  }
  if (release.date.getTime() > now.getTime() + day) {
    throw refuse(
      'release-from-future',
      `is dated ${release.date.toISOString()}, which is in the future; set this machine's clock (it says ${now.toISOString()}).`,
    )
  }
  if (rules.validUntil === 'waived') return
  if (!release.validUntil && rules.validUntil === 'required') {
    throw refuse(
      'no-valid-until',
      'has no Valid-Until, without which an old state of the archive passes for a new one; set another mirror.',
    )
  }
  if (release.validUntil && release.validUntil < now) {
    throw refuse(
      'release-expired',
      `was valid until ${release.validUntil.toISOString()} and it is ${now.toISOString()}: the mirror is behind, or something holds updates back; set another mirror, or this machine's clock.`,
    )
  }
}
