import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { readDeb } from '../debian/deb.ts'
import { Scratch } from '../debian/decompress.ts'
import type { TarEntry } from '../debian/tar-reader.ts'
import type { OmitRule } from '../definition/definition.ts'
import { SlipwayError } from '../lib/errors.ts'
import { compileOmit } from './omit.ts'
import type { Entry } from './tree.ts'

export interface UnpackRequest {
  readonly kind: 'unpack'
  readonly file: string
  /** Hex SHA-256 that the lock gives. */
  readonly sha256: string
  readonly omit: readonly OmitRule[]
}

/** A package in memory: what of it goes into the image. */
export interface UnpackedPackage {
  readonly control: ReadonlyMap<string, Uint8Array>
  readonly entries: readonly Entry[]
  /** Paths that `omit` rules left out. */
  readonly omitted: readonly string[]
  /** Newest file's mtime, seconds. */
  readonly newest: number
}

const scratch = new Scratch()

/**
 * Reads, checks and unpacks one .deb. File contents end in one SharedArrayBuffer, so that other threads read them
 * without a copy. Throws `wrong-deb` where the file is not the locked one, `damaged-deb` where it cannot be read.
 */
export async function unpack(request: UnpackRequest): Promise<UnpackedPackage> {
  const file = await readFile(request.file)
  const actual = createHash('sha256').update(file).digest('hex')
  const name = path.basename(request.file)
  if (actual !== request.sha256) {
    throw new SlipwayError('wrong-deb', `${name} is not the locked package: its SHA-256 is ${actual}.`)
  }
  const { control, entries } = await readDeb(file, scratch)
  const isOmitted = compileOmit(request.omit)
  const omitted = entries.filter((entry) => isOmitted(entry.path))
  const kept = inherit(
    entries.filter((entry) => !isOmitted(entry.path)),
    omitted,
  )
  return { control, entries: share(kept), omitted: omitted.map(({ path }) => path), newest: newestFile(kept) }
}

/** A hard link to what is left out takes its place, and those that follow lead to it: no layer may hold one to nothing. */
function inherit(kept: readonly TarEntry[], omitted: readonly TarEntry[]): TarEntry[] {
  const orphaned = new Map(omitted.map((entry) => [entry.path, entry]))
  const heirs = new Map<string, string>()
  return kept.map((entry) => {
    const lost = entry.type === 'hardlink' ? orphaned.get(entry.target!) : undefined
    if (!lost) return entry
    const heir = heirs.get(lost.path)
    if (heir !== undefined) return { ...entry, target: heir }
    heirs.set(lost.path, entry.path)
    return { ...lost, path: entry.path }
  })
}

function newestFile(entries: readonly TarEntry[]): number {
  let newest = 0
  for (const entry of entries) if (entry.mtime > newest) newest = entry.mtime
  return newest
}

function share(entries: readonly TarEntry[]): Entry[] {
  const total = entries.reduce((sum, entry) => sum + (entry.content?.length ?? 0), 0)
  const shared = new Uint8Array(new SharedArrayBuffer(total))
  let offset = 0
  return entries.map((entry) => {
    if (!entry.content) return entry
    const content = shared.subarray(offset, offset + entry.content.length)
    content.set(entry.content)
    offset += content.length
    return { ...entry, content }
  })
}
