import path from 'node:path'
import { formatBytes } from '../lib/bytes.ts'
import { commandName } from '../lib/command-name.ts'
import { requireRoom } from '../lib/disk-room.ts'
import { errorCode, SlipwayError } from '../lib/errors.ts'
import { mapParallel } from '../lib/parallel.ts'
import { type Report, silent } from '../lib/progress.ts'
import { sweepLeftovers } from '../lib/sweep.ts'
import { shownUrl } from '../lib/url-user.ts'
import type { DebFile } from './deb-file.ts'
import { type DownloadOptions, downloadFile } from './download.ts'
import { findMirror, type MirrorChoice, type MirrorKind, type MirrorOptions, mirrorKind } from './mirrors.ts'
import type { DebianSource } from './source.ts'

export interface DebDownloadOptions extends MirrorOptions {
  readonly report?: Report
  readonly signal?: AbortSignal
  /** Patience with the mirror. */
  readonly download?: Pick<DownloadOptions, 'attempts' | 'backoff' | 'connectTimeout' | 'stallTimeout'>
}

const atOnce = 6

/** `locked-file-gone`: with the names of the packages, so that a caller can lock just those anew. */
export class LockedFilesGone extends SlipwayError {
  readonly packages: readonly string[]

  constructor(packages: readonly string[], message: string) {
    super('locked-file-gone', message)
    this.packages = packages
  }
}

/**
 * Downloads .debs to the names that `target` gives: from the suite's mirror, else from the snapshot archives. Throws
 * `disk-full` before it begins where there is no room, and `locked-file-gone` naming every file that no one has.
 */
export async function downloadDebs(
  debs: readonly DebFile[],
  source: DebianSource,
  target: (deb: DebFile) => string,
  options: DebDownloadOptions,
): Promise<void> {
  const mirrors = new Map<MirrorKind, MirrorChoice>()
  for (const kind of new Set(debs.map((deb) => mirrorKind(deb.suite)))) {
    mirrors.set(kind, await findMirror(kind, source, options))
  }
  const total = debs.reduce((sum, deb) => sum + deb.size, 0)
  const folder = path.dirname(target(debs[0]!))
  await sweepLeftovers(folder)
  await requireRoom(folder, total, 'The packages need')

  const report = options.report ?? silent
  const task = 'Download packages'
  const onBytes = (by: number) => report({ type: 'advance', task, by })
  report({ type: 'start', task, total, unit: 'bytes' })
  const gone = new Set<DebFile>()
  const refusing = new Set<string>()
  await mapParallel(debs, { limit: atOnce, signal: options.signal }, async (deb, signal) => {
    const choice = mirrors.get(mirrorKind(deb.suite))!
    const network = { ...options.download, env: options.env ?? process.env, signal, onBytes }
    const roots = { choice, snapshots: source.snapshots, refusing }
    if (!(await downloadFrom(roots, deb, target(deb), network))) gone.add(deb)
  })
  if (gone.size > 0) {
    throw lockedFilesGone(
      debs.filter((deb) => gone.has(deb)),
      mirrors,
      source,
    )
  }
  report({ type: 'finish', task, detail: `${debs.length} files, ${formatBytes(total)}` })
}

interface Roots {
  readonly choice: MirrorChoice
  readonly snapshots: readonly string[]
  /** Apt sources of the host that did not serve a file, which are asked last from then on. */
  readonly refusing: Set<string>
}

/**
 * Whether one of the archives has the file: a 404 is what sends us to the next. An apt source of the host may be another
 * vendor's, which may refuse a file that it does not have, or have another of that name: its error counts if no one has it.
 */
async function downloadFrom(
  { choice, snapshots, refusing }: Roots,
  deb: DebFile,
  target: string,
  network: DownloadOptions,
): Promise<boolean> {
  const found = choice.found ? choice.urls : []
  const roots = [...choice.urls, ...snapshots].sort((a, b) => +refusing.has(a) - +refusing.has(b))
  let refusal: unknown
  for (const root of roots) {
    const url = `${root.replace(/\/+$/, '')}/${deb.path.split('/').map(encodeURIComponent).join('/')}`
    try {
      await downloadFile(
        { url, name: path.posix.basename(deb.path), size: deb.size, sha256: deb.sha256 },
        target,
        network,
      )
      return true
    } catch (error) {
      const code = errorCode(error) ?? ''
      if (code === 'not-found') continue
      if (!found.includes(root) || !['download-failed', 'wrong-hash'].includes(code)) throw error
      refusing.add(root)
      refusal ??= error
    }
  }
  if (refusal) throw refusal
  return false
}

function lockedFilesGone(
  gone: readonly DebFile[],
  mirrors: ReadonlyMap<MirrorKind, MirrorChoice>,
  source: DebianSource,
): LockedFilesGone {
  const asked = new Set(gone.flatMap((deb) => mirrors.get(mirrorKind(deb.suite))!.urls))
  const files = gone.map((deb) => path.posix.basename(deb.path)).sort()
  const names = [...new Set(files.map((file) => file.slice(0, file.indexOf('_'))))]
  const many = files.length > 8
  const listed = many ? `${files.slice(0, 8).join(', ')} and ${files.length - 8} more` : files.join(', ')
  const snapshots =
    source.snapshots.length > 0
      ? `, nor do the snapshot archives (${source.snapshots.map(shownUrl).join(', ')})`
      : ', and no debian.snapshots are named'
  return new LockedFilesGone(
    names,
    `${[...asked].map(shownUrl).join(', ')} no longer has ${listed}${snapshots}; run \`${commandName()} lock --update${many ? '' : ` ${names.join(' ')}`}\` to move to what it has now.`,
  )
}
