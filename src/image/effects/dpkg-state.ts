import type { DiversionEffect, StatOverrideEffect } from '../../debian/effect.ts'
import type { FileTree } from '../file-tree.ts'
import { changeEntry, writeText } from './files.ts'

const diversions = 'var/lib/dpkg/diversions'
const statOverrides = 'var/lib/dpkg/statoverride'

/** Notes a diversion: three lines, the path, where to, and for which package. */
export function addDiversion(tree: FileTree, effect: Omit<DiversionEffect, 'kind'>): void {
  append(tree, diversions, `${effect.path}\n${effect.to}\n${effect.package}\n`)
}

/** Notes owner and mode of a path for later upgrades, and sets them. */
export function addStatOverride(tree: FileTree, effect: Omit<StatOverrideEffect, 'kind'>): void {
  const { path, mode, owner, group } = effect
  append(tree, statOverrides, `${owner} ${group} ${mode.toString(8)} ${path}\n`)
  changeEntry(tree, path, { mode, owner, group })
}

function append(tree: FileTree, file: string, text: string): void {
  const old = tree.get(file) ? tree.readText(file) : ''
  if (!`\n${old}`.includes(`\n${text}`)) writeText(tree, file, old + text)
}
