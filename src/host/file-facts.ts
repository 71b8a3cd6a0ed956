import { createHash } from 'node:crypto'
import { extract, type Header } from 'tar-stream'
import type { Engine } from '../engine/engine.ts'

/** One file, folder or link of a container, with what makes it the same as another. */
export interface FileFacts {
  /** "file", "directory", "symlink" … */
  readonly type: string
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Hex SHA-256 of a file's content. */
  readonly sha256?: string
  readonly linkTarget?: string
  /** Content of a file of at most `keep` bytes. */
  readonly content?: Buffer
}

/**
 * Reads a path of a container, running or not; undefined where there is none. No more than `keep` bytes of content are
 * held; of a folder nothing but itself is read.
 */
export async function readFacts(
  engine: Engine,
  container: string,
  path: string,
  keep = 0,
): Promise<FileFacts | undefined> {
  const tar = await engine.containers.getArchive(container, path)
  if (!tar) return undefined
  const entries = tar.pipe(extract())
  tar.once('error', (error) => entries.destroy(error))
  try {
    for await (const entry of entries) {
      const { header } = entry
      const common = {
        type: header.type ?? 'file',
        mode: (header.mode ?? 0) & 0o7777,
        uid: header.uid ?? 0,
        gid: header.gid ?? 0,
      }
      if (common.type === 'symlink') return { ...common, linkTarget: header.linkname ?? '' }
      if (common.type !== 'file') return common
      return { ...common, ...(await readContent(entry as AsyncIterable<Uint8Array>, header, keep)) }
    }
    return undefined
  } finally {
    entries.destroy()
    tar.destroy()
  }
}

async function readContent(
  entry: AsyncIterable<Uint8Array>,
  header: Header,
  keep: number,
): Promise<Pick<FileFacts, 'sha256' | 'content'>> {
  const hash = createHash('sha256')
  const chunks: Uint8Array[] = []
  for await (const chunk of entry) {
    hash.update(chunk)
    if ((header.size ?? 0) <= keep) chunks.push(chunk)
  }
  const sha256 = hash.digest('hex')
  return (header.size ?? 0) <= keep ? { sha256, content: Buffer.concat(chunks) } : { sha256 }
}

/** Whether two are the same but for their times. */
export function sameFacts(a: FileFacts | undefined, b: FileFacts | undefined): boolean {
  if (!a || !b) return a === b
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.sha256 === b.sha256 &&
    a.linkTarget === b.linkTarget
  )
}

/** The text of a file's content; undefined where it is none, or not held. */
export function textOf(facts: FileFacts | undefined): string | undefined {
  if (!facts?.content || facts.content.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(facts.content)
  } catch {
    return undefined
  }
}
