import type { SourceEntry, TreeRule } from '../definition/sources/source.ts'
import { sourceMode } from '../definition/sources/source-mode.ts'
import { badInput } from '../lib/errors.ts'
import { globPattern } from '../lib/glob.ts'
import { groupId, userId } from './accounts.ts'
import { relative } from './effects/files.ts'
import type { FileTree } from './file-tree.ts'

/** Puts what a folder or tar archive holds below its target, over what packages left there, dated as the layer is. */
export function placeSource(tree: FileTree, rule: TreeRule, entries: readonly SourceEntry[]): void {
  const owner = { uid: userId(tree, rule.owner), gid: groupId(tree, rule.group), mtime: tree.date }
  const below = (path: string): string =>
    [relative(rule.target), path].filter((part) => part !== '').join('/')
  for (const entry of entries) {
    const { type, content, target } = entry
    const base = { path: below(entry.path), type, mode: sourceMode(rule, entry), ...owner }
    if (type === 'hardlink') tree.put({ ...base, target: tree.resolve(below(target!)) })
    else tree.put({ ...base, ...(content && { content }), ...(target !== undefined && { target }) })
  }
  for (const { glob } of rule.modes) {
    const pattern = globPattern(glob)
    if (!entries.some(({ path }) => pattern.test(path)))
      throw badInput('no-such-file', `modes of ${rule.path} names ${glob}, which fits no path in it.`)
  }
}
