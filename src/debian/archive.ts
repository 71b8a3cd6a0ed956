import type { Cache } from '../lib/cache.ts'
import { SlipwayError } from '../lib/errors.ts'
import { type Report, silent } from '../lib/progress.ts'
import { fetchIndexes, indexesOf, loadIndex } from './archive-index.ts'
import { type ArchiveRelease, type OpenedSuite, openSuite } from './archive-release.ts'
import { Scratch } from './decompress.ts'
import type { DownloadOptions } from './download.ts'
import { type Keyring, readKeyrings } from './keyring.ts'
import { findMirror, type MirrorChoice, type MirrorOptions } from './mirrors.ts'
import type { BinaryPackage } from './package.ts'
import { createPackageIndex, type PackageIndex } from './package-index.ts'
import type { DebianSource } from './source.ts'

export type { ArchiveRelease } from './archive-release.ts'

/** The packages of a Debian archive, down from a verified signature. */
export interface Archive {
  /** The suites read: the release, its updates, its security fixes. */
  readonly releases: readonly ArchiveRelease[]
  /** What it offers one of the architectures it was opened for. */
  index(architecture: string): PackageIndex
}

export interface ArchiveOptions extends MirrorOptions {
  /** Debian's names: "amd64", "arm64". */
  readonly architectures: readonly string[]
  readonly cache: Cache
  readonly report?: Report
  readonly signal?: AbortSignal
  /** The clock unless told. */
  readonly now?: Date
  /** Patience with the mirror. */
  readonly download?: Pick<DownloadOptions, 'attempts' | 'backoff' | 'connectTimeout' | 'stallTimeout'>
}

/**
 * Opens the archive that a definition names: InRelease of each suite verified against the keyrings, Packages indexes
 * fetched by hash into `cache.archive` unless they are there, each checked against its InRelease whenever it is read.
 * Throws what `findMirror`, `readKeyrings`, `verifyRelease`, `downloadFile` and `parsePackages` throw.
 */
export async function openArchive(source: DebianSource, options: ArchiveOptions): Promise<Archive> {
  const keyring = await readKeyrings(source.keyrings)
  const network: DownloadOptions = {
    ...options.download,
    env: options.env ?? process.env,
    ...(options.signal ? { signal: options.signal } : {}),
  }
  const suites = await openSuites(source, keyring, options, network)
  const wanted = suites.flatMap((suite) =>
    options.architectures.flatMap((architecture) => indexesOf(suite, source, architecture)),
  )
  const report = options.report ?? silent
  await fetchIndexes(wanted, options.cache, network, report)

  const scratch = new Scratch()
  const packages = new Map<string, BinaryPackage[][]>(options.architectures.map((name) => [name, []]))
  for (const index of wanted) {
    options.signal?.throwIfAborted()
    packages.get(index.architecture)!.push(await loadIndex(index, options.cache, network, scratch))
  }
  const indexes = new Map(
    [...packages].map(([architecture, lists]) => [architecture, createPackageIndex(architecture, lists)]),
  )
  return {
    releases: suites.map((suite) => suite.record),
    index: (architecture) => {
      const index = indexes.get(architecture)
      if (index) return index
      throw new SlipwayError('no-such-architecture', `The archive was not opened for ${architecture}.`)
    },
  }
}

async function openSuites(
  source: DebianSource,
  keyring: Keyring,
  options: ArchiveOptions,
  network: DownloadOptions,
): Promise<OpenedSuite[]> {
  const now = options.now ?? new Date()
  const { suite } = source
  const open = (name: string, choice: MirrorChoice, validUntil: 'required' | 'enforced') =>
    openSuite(name, choice, keyring, validUntil, now, network)
  const fromMain = async (): Promise<OpenedSuite[]> => {
    const release = await open(suite, await findMirror('main', source, options), 'enforced')
    if (!source.updates) return [release]
    const sameMirror: MirrorChoice = { kind: 'main', urls: [release.mirror], found: false }
    return [release, await open(`${suite}-updates`, sameMirror, 'enforced')]
  }
  const fromSecurity = async (): Promise<OpenedSuite[]> =>
    source.security
      ? [await open(`${suite}-security`, await findMirror('security', source, options), 'required')]
      : []
  // Where both fail, the main mirror's error is the one to read.
  const [main, security] = await Promise.allSettled([fromMain(), fromSecurity()])
  if (main.status === 'rejected') throw main.reason
  if (security.status === 'rejected') throw security.reason
  const opened = [...main.value, ...security.value]
  for (const { record } of opened) {
    if (record.validUntilWaived)
      options.report?.({ type: 'note', text: `${record.suite}: ${record.validUntilWaived}` })
  }
  return opened
}
