import { commandName, programName } from '../lib/command-name.ts'
import { digestOf } from '../lib/digest.ts'
import { badInput, SlipwayError } from '../lib/errors.ts'

/** What is remembered of an appliance beside what its containers tell: the content of its state volume. */
export interface StateDocument {
  readonly version: 1
  /** Settings of this site over the profile, as `--set` takes them: "optimiser.memory" → "1g". */
  readonly settings: Readonly<Record<string, string>>
  /** Oldest first. */
  readonly history: readonly ReleaseRecord[]
  /** Backups taken of it, oldest first. */
  readonly backups: readonly BackupRecord[]
  /**
   * Service → the container, with its last start, that has another memory limit and was not told yet: what a run that is cut off between the
   * two leaves to the next. Absent: none.
   */
  readonly reloads?: Readonly<Record<string, string>>
}

/** A successful install. */
export interface ReleaseRecord {
  /** ISO 8601, UTC. */
  readonly at: string
  readonly release: string
  /** The image's digest: its config's. */
  readonly image: string
  readonly profile: string
}

export interface BackupRecord {
  readonly at: string
  /** Where it was written, as that machine names it. */
  readonly file: string
  /** Bytes. */
  readonly size: number
  readonly sha256: string
  readonly release: string
}

export const emptyState: StateDocument = { version: 1, settings: {}, history: [], backups: [] }

/** So many entries are kept of each list. */
const longest = 100

/** The document with a release installed; its lists don't grow for ever. */
export function withRelease(document: StateDocument, record: ReleaseRecord): StateDocument {
  return { ...document, history: [...document.history, record].slice(-longest) }
}

export function withBackup(document: StateDocument, record: BackupRecord): StateDocument {
  return { ...document, backups: [...document.backups, record].slice(-longest) }
}

/** The document with one setting changed; undefined forgets it. */
export function withStoredSetting(
  document: StateDocument,
  key: string,
  value: string | undefined,
): StateDocument {
  const { [key]: _, ...others } = document.settings
  return { ...document, settings: sorted(value === undefined ? others : { ...others, [key]: value }) }
}

/** The document with a service to be reloaded in its container, or with none where `container` is undefined. */
export function withDueReload(
  { reloads, ...document }: StateDocument,
  service: string,
  container: string | undefined,
): StateDocument {
  const { [service]: _, ...others } = reloads ?? {}
  const due = container === undefined ? others : { ...others, [service]: container }
  return Object.keys(due).length > 0 ? { ...document, reloads: due } : document
}

/** One copy of a document on disk. Two are kept and written in turn, so that one is always whole. */
export interface StateCopy {
  readonly generation: number
  readonly document: StateDocument
}

export function formatCopy({ generation, document }: StateCopy): string {
  const digest = digestOf(JSON.stringify(document))
  return `${JSON.stringify({ generation, digest, document }, null, 2)}\n`
}

/**
 * The newest whole copy; undefined where there is none at all. Throws `newer-state` for a document of a later format
 * and `damaged-state` where copies are there and none is whole.
 */
export function newestCopy(texts: readonly string[], name: string): StateCopy | undefined {
  const copies = texts.map(parseCopy).filter((copy) => copy !== undefined)
  const newest = copies.sort((a, b) => b.generation - a.generation)[0]
  if (!newest) {
    if (texts.length === 0) return undefined
    throw new SlipwayError(
      'damaged-state',
      `The stored settings of ${name} (volume ${name}_state) are damaged; \`${commandName()} restore\` puts them back from a backup, \`${commandName()} reset settings\` goes on without them.`,
    )
  }
  const version: unknown = newest.document.version
  if (version !== 1) {
    throw badInput(
      'newer-state',
      `The stored settings of ${name} have format ${String(version)}, and this ${programName()} reads format 1: they are a newer ${programName()}'s, so run the command with that.`,
    )
  }
  return { generation: newest.generation, document: { ...emptyState, ...newest.document } }
}

/** Undefined for what was cut off or changed. */
function parseCopy(text: string): StateCopy | undefined {
  let copy: unknown
  try {
    copy = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(copy) || !isRecord(copy.document) || !Number.isSafeInteger(copy.generation)) return undefined
  if (copy.digest !== digestOf(JSON.stringify(copy.document))) return undefined
  return copy as unknown as StateCopy
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)))
}
