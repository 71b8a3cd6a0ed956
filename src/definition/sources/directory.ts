import { sha256Hex } from '../../lib/digest.ts'
import { badInput, errorCode, SlipwayError } from '../../lib/errors.ts'
import { readOverlay } from '../overlay.ts'
import type { SourceEntry, TreeRule } from './source.ts'

/**
 * Reads a folder as a component takes it: as an overlay is read, so that a checkout on any host gives the same.
 * Throws `bad-source` and `bad-overlay` (exit code 2).
 */
export async function readFolder(folder: string, rule: TreeRule): Promise<SourceEntry[]> {
  const files = await readOverlay(folder).catch((error: unknown) => {
    if (error instanceof SlipwayError) throw error
    const why =
      errorCode(error) === 'ENOTDIR' ? 'is a file and no folder' : `cannot be read (${errorCode(error)})`
    throw badInput('bad-source', `${rule.path} ${why}; put a folder in its place.`, error)
  })
  return files.map(({ path, mode, content, target }) =>
    target === undefined
      ? { path, type: 'file', mode, content: content! }
      : { path, type: 'symlink', mode, target },
  )
}

/** Digest and bytes of a folder's content: its paths, modes, links and files, in order. */
export function describeFolder(entries: readonly SourceEntry[]): { sha256: string; size: number } {
  const facts = entries.map(({ path, mode, target, content }) => [
    path,
    mode,
    target ?? '',
    content ? sha256Hex(content) : '',
  ])
  const size = entries.reduce((sum, { content }) => sum + (content?.length ?? 0), 0)
  return { sha256: sha256Hex(JSON.stringify(facts)), size }
}
