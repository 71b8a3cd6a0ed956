import type { DirectoryEffect, FifoEffect, FileEffect, SymlinkEffect } from '../../debian/effect.ts'
import { SlipwayError } from '../../lib/errors.ts'
import { groupId, userId } from '../accounts.ts'
import { type FileTree, parentOf } from '../file-tree.ts'
import type { Entry } from '../tree.ts'

/** Makes a directory, or leaves the one that is there. */
export function makeDirectory(tree: FileTree, effect: Omit<DirectoryEffect, 'kind'>): void {
  if (tree.follow(effect.path)) return
  tree.put({
    path: relative(effect.path),
    type: 'directory',
    mode: effect.mode,
    uid: userId(tree, effect.owner),
    gid: groupId(tree, effect.group),
    mtime: tree.date,
  })
}

export function makeFile(tree: FileTree, effect: Omit<FileEffect, 'kind'>): void {
  if (tree.get(effect.path) && !effect.replace) return
  const owner = { uid: userId(tree, effect.owner), gid: groupId(tree, effect.group) }
  if (effect.copyOf !== undefined) {
    const mode = effect.mode === undefined ? {} : { mode: effect.mode }
    copyFile(tree, effect.copyOf, effect.path, { ...owner, ...mode })
  } else writeText(tree, effect.path, effect.content ?? '', { ...owner, mode: effect.mode ?? 0o644 })
}

export function makeSymlink(tree: FileTree, effect: Omit<SymlinkEffect, 'kind'>): void {
  if (tree.get(effect.path) && !effect.replace) return
  if (effect.onlyToExisting && !tree.follow(linkedPath(effect))) return
  tree.put({
    path: relative(effect.path),
    type: 'symlink',
    mode: 0o777,
    uid: 0,
    gid: 0,
    mtime: tree.date,
    target: effect.target,
  })
}

export function makeFifo(tree: FileTree, effect: Omit<FifoEffect, 'kind'>): void {
  if (tree.get(effect.path) && !effect.replace) return
  tree.put({
    path: relative(effect.path),
    type: 'fifo',
    mode: effect.mode,
    uid: userId(tree, effect.owner),
    gid: groupId(tree, effect.group),
    mtime: tree.date,
  })
}

function linkedPath({ path, target }: Pick<SymlinkEffect, 'path' | 'target'>): string {
  return target.startsWith('/') ? target : `${parentOf(path)}/${target}`
}

/** Copies a file of the image, with its mode and owner unless told. */
export function copyFile(
  tree: FileTree,
  from: string,
  to: string,
  change: { readonly mode?: number; readonly uid?: number; readonly gid?: number } = {},
): void {
  const source = tree.follow(from)
  if (source?.type !== 'file') throw missing(from)
  tree.put({ ...source, ...change, path: relative(to) })
}

/** Writes a file, dated like the layer. */
export function writeText(
  tree: FileTree,
  path: string,
  text: string | Uint8Array,
  attributes: { readonly mode: number; readonly uid?: number; readonly gid?: number } = { mode: 0o644 },
): void {
  tree.put({
    path: relative(path),
    type: 'file',
    mode: attributes.mode,
    uid: attributes.uid ?? 0,
    gid: attributes.gid ?? 0,
    mtime: tree.date,
    content: typeof text === 'string' ? new TextEncoder().encode(text) : text,
  })
}

/**
 * Changes what is said of an entry; one of a layer below is copied up whole. Names of a hard link change together
 * while they are in the layer being written.
 */
export function changeEntry(
  tree: FileTree,
  path: string,
  change: {
    readonly mode?: number
    readonly owner?: string
    readonly group?: string
    readonly capability?: Uint8Array
  },
): void {
  const named = tree.get(path)
  if (!named) throw missing(path)
  const isWhole = named.type !== 'hardlink' || tree.own.has(named.target!)
  const entry: Entry | undefined = named.type === 'hardlink' ? tree.get(named.target!) : named
  if (!entry) throw missing(path)
  tree.put({
    ...entry,
    path: isWhole ? entry.path : named.path,
    ...(change.mode === undefined ? {} : { mode: change.mode }),
    ...(change.owner === undefined ? {} : { uid: userId(tree, change.owner) }),
    ...(change.group === undefined ? {} : { gid: groupId(tree, change.group) }),
    ...(change.capability === undefined ? {} : { capability: change.capability }),
  })
}

/** Entries of a tree are named without the leading slash. */
export function relative(path: string): string {
  return path.replace(/^\/+/, '')
}

function missing(path: string): SlipwayError {
  return new SlipwayError(
    'effect-without-file',
    `A recipe changes or copies /${relative(path)}, which is not in the image; correct the recipe, or the omit rule that left it out.`,
  )
}
