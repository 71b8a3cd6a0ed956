import { FileTree } from '../../src/image/file-tree.ts'
import type { Entry } from '../../src/image/tree.ts'

export const tinyTreeDate = 1_700_000_000

/** A path of a tree: text is a file, `-> target` a symbolic link, `/` a directory; or any facts of an entry. */
export type TinyEntry = string | Partial<Entry>

export function tinyEntry(path: string, tiny: TinyEntry): Entry {
  const base = { path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1_600_000_000 } as const
  if (typeof tiny !== 'string') return { ...base, ...tiny }
  if (tiny === '/') return { ...base, type: 'directory', mode: 0o755 }
  if (tiny.startsWith('-> ')) return { ...base, type: 'symlink', mode: 0o777, target: tiny.slice(3) }
  return { ...base, content: new TextEncoder().encode(tiny) }
}

/** A tree whose layer being written holds `entries`, over one layer for each of `lower`, bottom first. */
export function tinyTree(
  entries: Readonly<Record<string, TinyEntry>> = {},
  ...lower: readonly Readonly<Record<string, TinyEntry>>[]
): FileTree {
  const layers = lower.map(
    (layer) => new Map(Object.entries(layer).map(([path, tiny]) => [path, tinyEntry(path, tiny)])),
  )
  const tree = new FileTree(layers, tinyTreeDate)
  for (const [path, tiny] of Object.entries(entries)) tree.put(tinyEntry(path, tiny))
  return tree
}

/** What the layer being written holds, sorted, one line a path: mode, owner, kind or text. */
export function describeLayer(tree: FileTree): string[] {
  return [...tree.own.values()]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, mode, uid, gid, type, target, content, capability }) => {
      const what = target !== undefined ? `-> ${target}` : content ? JSON.stringify(decode(content)) : type
      const extra = capability ? ` capability ${Buffer.from(capability).toString('hex')}` : ''
      return `${path} ${mode.toString(8)} ${uid}:${gid} ${what}${extra}`
    })
}

function decode(content: Uint8Array): string {
  return new TextDecoder().decode(content)
}
