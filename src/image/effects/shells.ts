import type { FileTree } from '../file-tree.ts'
import { writeText } from './files.ts'

const template = 'usr/share/debianutils/shells'
const folder = 'usr/share/debianutils/shells.d'

/**
 * Adds the shells that packages declare to /etc/shells, under the name they are declared by and the one behind merged
 * /usr, and notes them in /var/lib/shells.state (update-shells(8)).
 */
export function updateShells(tree: FileTree): void {
  const declared = new Set<string>()
  const files = tree.list(folder).map((name) => `${folder}/${name}`)
  for (const file of [template, ...files]) {
    for (const shell of shellsIn(tree, file)) {
      declared.add(shell)
      declared.add(`/${tree.resolve(shell)}`)
    }
  }
  const target = tree.get('etc/shells') ? 'etc/shells' : template
  const present = new Set(shellsIn(tree, target))
  const removed = new Set(tree.get('var/lib/shells.state') ? shellsIn(tree, 'var/lib/shells.state') : [])
  const added = [...declared].filter((shell) => !present.has(shell) && !removed.has(shell))
  writeText(tree, '/etc/shells', tree.readText(target) + added.map((shell) => `${shell}\n`).join(''))
  writeText(tree, '/var/lib/shells.state', [...declared].map((shell) => `${shell}\n`).join(''))
}

function shellsIn(tree: FileTree, file: string): string[] {
  return tree
    .readText(file)
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trimEnd())
    .filter((line) => line !== '')
}
