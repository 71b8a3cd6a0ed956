import type { TarEntry } from '../debian/tar-reader.ts'
import { compareBytes } from '../lib/compare-bytes.ts'
import { installedPackages, type OpenedImage } from './image-files.ts'

export interface Change<Value> {
  readonly name: string
  /** Absent: it was added. */
  readonly from?: Value
  /** Absent: it was removed. */
  readonly to?: Value
}

export interface FileChange extends Change<FileFacts> {
  /** What differs of a path that both have: "content", "mode", "owner", "type", "target", "capability". */
  readonly differs: readonly string[]
}

export interface FileFacts {
  readonly type: string
  /** Octal. */
  readonly mode: string
  readonly owner: string
  readonly size: number
}

export interface ImageDiff {
  readonly packages: readonly Change<string>[]
  readonly files: readonly FileChange[]
  readonly config: readonly Change<unknown>[]
}

/** What two images differ in: packages, files, configuration. Times are left out. Pure. */
export function diffImages(a: OpenedImage, b: OpenedImage): ImageDiff {
  return {
    packages: diffMaps(installedPackages(a.files), installedPackages(b.files), (x, y) => x === y),
    files: diffFiles(a.files, b.files),
    config: diffConfigs(a.config, b.config),
  }
}

/** Differences of two maps, ordered by name. */
export function diffMaps<Value>(
  a: ReadonlyMap<string, Value>,
  b: ReadonlyMap<string, Value>,
  equal: (x: Value, y: Value) => boolean,
): Change<Value>[] {
  const changes: Change<Value>[] = []
  for (const name of [...new Set([...a.keys(), ...b.keys()])].sort(compareBytes)) {
    const from = a.get(name)
    const to = b.get(name)
    if (from !== undefined && to !== undefined && equal(from, to)) continue
    changes.push({ name, ...(from !== undefined && { from }), ...(to !== undefined && { to }) })
  }
  return changes
}

function diffFiles(a: ReadonlyMap<string, TarEntry>, b: ReadonlyMap<string, TarEntry>): FileChange[] {
  return diffMaps(a, b, (x, y) => differences(x, y).length === 0).map(({ name, from, to }) => ({
    name: `/${name}`,
    differs: from && to ? differences(from, to) : [],
    ...(from && { from: facts(from) }),
    ...(to && { to: facts(to) }),
  }))
}

function differences(a: TarEntry, b: TarEntry): string[] {
  const differs: string[] = []
  if (a.type !== b.type) differs.push('type')
  if (a.mode !== b.mode) differs.push('mode')
  if (a.uid !== b.uid || a.gid !== b.gid) differs.push('owner')
  if (a.target !== b.target) differs.push('target')
  if (!sameBytes(a.content, b.content)) differs.push('content')
  if (!sameBytes(a.capability, b.capability)) differs.push('capability')
  return differs
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0
}

function facts(entry: TarEntry): FileFacts {
  return {
    type: entry.type,
    mode: entry.mode.toString(8).padStart(4, '0'),
    owner: `${entry.uid}:${entry.gid}`,
    size: entry.content?.length ?? 0,
  }
}

/** The configuration's leaves by path, without what follows from the layers. */
function diffConfigs(a: OpenedImage['config'], b: OpenedImage['config']): Change<unknown>[] {
  return diffMaps(leaves(a), leaves(b), (x, y) => x === y)
}

function leaves(config: OpenedImage['config']): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
      for (const [key, inner] of Object.entries(value)) walk(inner, path ? `${path}/${key}` : key)
    } else found.set(path, typeof value === 'object' ? JSON.stringify(value) : value)
  }
  const { rootfs: _rootfs, history: _history, ...rest } = config
  walk(rest, '')
  return found
}
