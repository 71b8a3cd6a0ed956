import type { PathChange } from '../engine/containers-port.ts'
import { globPattern } from '../lib/glob.ts'

/** `expected`: the definition says that it may change. `pinned`: a file of a pinned library. */
export type DriftClass = 'expected' | 'changed' | 'pinned'

export interface DriftedPath {
  readonly path: string
  readonly kind: PathChange['kind']
  readonly class: DriftClass
  /** The pinned library that the path is of. */
  readonly package?: string
  /** Lines of a unified diff, where it was asked for and both sides are text. */
  readonly diff?: readonly string[]
}

/** Where kept copies of files that `restore-file` replaced stand in a container. */
export const undoFolder = '/var/lib/slipway/undo'

/** What an Engine puts into a container by itself, and what Slipway does. */
const always = ['/usr/sbin/docker-init', '/sbin/docker-init', '/dev', '/dev/**', '/var/lib/slipway/**']

/** What an Engine mounts over every container's own: whoever copies files out of one leaves empty places for the mounts. */
const mountedAlways = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf']

/** Says whether a path may change: by the globs of the definition, or because it is only where something is mounted. */
export function expectation(globs: readonly string[], mounts: readonly string[]): (path: string) => boolean {
  const patterns = [...always, ...globs].map(globPattern)
  const folders = new Set(['/var/lib/slipway', ...mountedAlways, ...mounts])
  return (path) => folders.has(path) || patterns.some((pattern) => pattern.test(path))
}

/**
 * Changes that deserve a look: not expected, and no folder that is named only because something in it changed, or is
 * there only for what is in it. Without reading a file, so that a file written anew with the same content still counts.
 */
export function suspects(
  changes: readonly PathChange[],
  isExpected: (path: string) => boolean,
): PathChange[] {
  const folders = new Set(changes.map(({ path }) => parentOf(path)))
  return changes.filter(({ path, kind }) => !isExpected(path) && (kind === 'deleted' || !folders.has(path)))
}

/** Path → package, from dpkg's lists of the pinned packages ("name" → the text of its .list). */
export function pinnedPaths(lists: Readonly<Record<string, string>>): Map<string, string> {
  const owners = new Map<string, string>()
  for (const [name, list] of Object.entries(lists)) {
    for (const line of list.split('\n')) {
      if (line.startsWith('/') && line !== '/.') owners.set(withUsr(line), name)
    }
  }
  return owners
}

/** A changed path with its class. `isFolder`: folders belong to many packages, so to none that is pinned. */
export function classify(
  change: PathChange,
  isExpected: (path: string) => boolean,
  owners: ReadonlyMap<string, string>,
  isFolder: boolean,
): DriftedPath {
  const owner = isFolder ? undefined : owners.get(change.path)
  // A pinned library is never expected to change, whatever a glob says.
  if (owner !== undefined) return { ...change, class: 'pinned', package: owner }
  return { ...change, class: isExpected(change.path) ? 'expected' : 'changed' }
}

/** Merged /usr: dpkg may know a file by the path that its package was made with. */
function withUsr(path: string): string {
  return path.replace(/^\/(bin|sbin|lib|lib32|lib64|libx32)\//, '/usr/$1/')
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}
