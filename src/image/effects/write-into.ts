import type { WriteEffect } from '../../debian/effect.ts'
import type { FileTree } from '../file-tree.ts'
import { matchingPaths } from './matching-paths.ts'

/**
 * Writes over the beginning of files that are there, or behind their end, as tmpfiles.d's `w` does: it neither makes nor
 * shortens one, and it follows links.
 */
export function writeInto(tree: FileTree, effect: WriteEffect): void {
  const given = effect.content
  const bytes = typeof given === 'string' ? new TextEncoder().encode(given) : given
  for (const path of matchingPaths(tree, effect.path)) {
    const file = tree.follow(path)
    if (file?.type !== 'file') continue
    const old = tree.read(file.path)
    const begin = effect.append ? old.length : 0
    const content = new Uint8Array(Math.max(old.length, begin + bytes.length))
    content.set(old)
    content.set(bytes, begin)
    tree.put({ ...file, content, mtime: tree.date })
  }
}
