import type { CopyEffect } from '../../debian/effect.ts'
import { groupId, userId } from '../accounts.ts'
import type { FileTree } from '../file-tree.ts'
import type { Entry } from '../tree.ts'
import { changeEntry, relative } from './files.ts'

/**
 * Copies a file or a folder of the image where nothing, or an empty folder, is at its place; `merge` copies into a
 * folder what is not there. Nothing happens where the source is missing.
 */
export function copyTree(tree: FileTree, effect: CopyEffect): void {
  const source = tree.get(effect.from)
  if (!source) return
  const there = tree.get(effect.path)
  const isFree = !there || (there.type === 'directory' && tree.list(effect.path).length === 0)
  if (isFree || effect.merge) copy(tree, effect.from, effect.path, ownersOf(tree, effect))
  if (!there && effect.mode !== undefined && source.type !== 'symlink')
    changeEntry(tree, effect.path, { mode: effect.mode })
}

type Owners = Partial<Pick<Entry, 'uid' | 'gid'>>

function ownersOf(tree: FileTree, { owner, group }: CopyEffect): Owners {
  return {
    ...(owner !== undefined && { uid: userId(tree, owner) }),
    ...(group !== undefined && { gid: groupId(tree, group) }),
  }
}

function copy(tree: FileTree, from: string, to: string, owners: Owners): void {
  const named = tree.get(from)!
  const source = named.type === 'hardlink' ? tree.get(named.target!)! : named
  const there = tree.get(to)
  if (!there) {
    // Capabilities stay with the program that they were given to.
    const { capability: _, ...entry } = source
    tree.put({ ...entry, ...owners, path: relative(to) })
  } else if (there.type !== 'directory' || source.type !== 'directory') return
  if (source.type !== 'directory') return
  for (const name of tree.list(from)) copy(tree, `${from}/${name}`, `${to}/${name}`, owners)
}
