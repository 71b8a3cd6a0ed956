import type { Component } from '../definition/definition.ts'
import { badInput } from '../lib/errors.ts'
import { addGroup, addUser, groupId, userId } from './accounts.ts'
import type { EffectContext } from './effects/apply.ts'
import { changeEntry, relative } from './effects/files.ts'
import type { FileTree } from './file-tree.ts'

/**
 * What a component's component.yaml says beside packages and overlay: groups, users, directories, links, and modes and
 * owners of files. Its packages are configured and its overlay is in the tree. Here the definition has the last word:
 * links and directories replace what packages left.
 */
export function applyComponentRules(tree: FileTree, component: Component, context: EffectContext): void {
  addComponentAccounts(tree, component, context)
  for (const rule of component.directories) {
    tree.put({
      path: relative(rule.path),
      type: 'directory',
      mode: rule.mode,
      uid: userId(tree, rule.owner),
      gid: groupId(tree, rule.group),
      mtime: tree.get(rule.path)?.mtime ?? tree.date,
    })
  }
  for (const link of component.links) {
    tree.put({
      path: relative(link.path),
      type: 'symlink',
      mode: 0o777,
      uid: 0,
      gid: 0,
      mtime: tree.date,
      target: link.target,
    })
  }
  for (const rule of component.files) {
    if (!tree.get(rule.path))
      throw badInput(
        'effect-without-file',
        `files of its component.yaml names ${rule.path}, which is not in the image so far.`,
      )
    changeEntry(tree, rule.path, rule)
  }
}

/** Groups and users with the ids that the definition gives; those that are there already are left. */
export function addComponentAccounts(tree: FileTree, component: Component, { day }: EffectContext): void {
  for (const group of component.groups) addGroup(tree, group.name, group.gid)
  for (const user of component.users) addUser(tree, { ...user, gid: groupId(tree, user.group) }, day)
}
