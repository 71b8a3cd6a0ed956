import type { FileTree } from '../file-tree.ts'

/** The paths of a tree that a shell pattern names (glob(7)): `*`, `?` and `[…]` within a name, no hidden name by a `*`. */
export function matchingPaths(tree: FileTree, pattern: string): string[] {
  let found = ['']
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    const name = /[*?[\\]/.test(part) ? partPattern(part) : undefined
    found = found.flatMap((folder) => {
      const names = name ? namesBelow(tree, folder).filter((one) => name.test(one)) : [part]
      return names.map((one) => `${folder}/${one}`)
    })
  }
  return found.filter((path) => tree.get(path) !== undefined)
}

function namesBelow(tree: FileTree, folder: string): string[] {
  return folder === '' || tree.follow(folder)?.type === 'directory' ? tree.list(folder) : []
}

function partPattern(part: string): RegExp {
  const source = part.replace(/\\(.)|\[([!^]?)(\]?[^\]]*)\]|(\*)|(\?)|(.)/gs, (...found) => {
    const [, escaped, not, set, many, one, plain] = found as (string | undefined)[]
    if (many) return '.*'
    if (one) return '.'
    if (set) return `[${not ? '^' : ''}${set.replace(/[\\\]^[]/g, '\\$&')}]`
    return (escaped ?? plain)!.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${/^[*?[]/.test(part) ? '(?!\\.)' : ''}${source}$`)
}
