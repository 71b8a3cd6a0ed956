import type { OmitRule } from '../definition/definition.ts'
import { writeText } from './effects/files.ts'
import type { FileTree } from './file-tree.ts'

const file = 'etc/dpkg/dpkg.cfg.d/slipway-omit'

/**
 * Tells dpkg the definition's `omit` rules, so that a package installed in a container by hand leaves out the same
 * paths. Written once, in the lowest layer with packages.
 */
export function writePathRules(tree: FileTree, rules: readonly OmitRule[]): void {
  if (rules.length === 0 || tree.get(file)) return
  const head = '# What this image leaves out of packages, by the omit rules of its definition.\n'
  writeText(tree, file, head + dpkgPathRules(rules))
}

/** The rules as dpkg's options (dpkg(1), `path-exclude`). Its `*` stands for `/` too, so `**` has no other word. */
export function dpkgPathRules(rules: readonly OmitRule[]): string {
  const excludes = rules.map((rule) => `path-exclude=${rule.path.replaceAll('**', '*')}\n`)
  const includes = rules.flatMap((rule) =>
    rule.except.map((path) => `path-include=${path.replaceAll('**', '*')}\n`),
  )
  return [...excludes, ...includes].join('')
}
