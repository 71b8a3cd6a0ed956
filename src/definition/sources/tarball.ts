import { type Compression, decompress, Scratch } from '../../debian/decompress.ts'
import { readTar, type TarEntry } from '../../debian/tar-reader.ts'
import { badInput } from '../../lib/errors.ts'
import type { SourceEntry, TreeRule } from './source.ts'

/**
 * Reads a tar archive (plain, gzip, xz or zstd, told by its first bytes) as a component takes it: leading folders
 * stripped, links only to where the archive itself leads, no device nodes, no set-id bits that no rule names. Times and
 * owners of the archive do not count. Throws `bad-source` (exit code 2).
 */
export async function readTarball(bytes: Uint8Array, rule: TreeRule): Promise<SourceEntry[]> {
  const entries = new Map<string, SourceEntry>()
  for (const entry of await readEntries(bytes, rule)) {
    const path = stripped(entry.path, rule.strip)
    if (path === '') continue
    const { type } = entry
    const base = { path, type, mode: entry.mode }
    if (type === 'file') entries.set(path, { ...base, content: new Uint8Array(entry.content!) })
    else if (type === 'directory') entries.set(path, base)
    else if (type === 'symlink') entries.set(path, { ...base, target: innerLink(path, entry.target!, rule) })
    else entries.set(path, { ...base, target: hardlinkTarget(entry, entries, rule) })
  }
  if (entries.size === 0) {
    throw refused(rule, `holds nothing${rule.strip > 0 ? ` below ${rule.strip} leading folders` : ''}`)
  }
  for (const { path, type } of entries.values()) {
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const parent = entries.get(path.slice(0, slash))
      if (parent && parent.type !== 'directory')
        throw refused(rule, `has ${path} below ${parent.path}, which is a ${parent.type} (${type} refused)`)
    }
  }
  return [...entries.values()]
}

async function readEntries(bytes: Uint8Array, rule: TreeRule): Promise<TarEntry[]> {
  const compression = compressionOf(bytes)
  if (!compression) {
    throw refused(rule, 'is no tar archive, plain or compressed with gzip, xz or zstd')
  }
  try {
    return readTar(await decompress(bytes, compression, new Scratch()))
  } catch (error) {
    const reason = (error as Error).message.replace(/^The package file is damaged: /, '').replace(/\.$/, '')
    throw refused(rule, `cannot be taken: ${reason}`, error)
  }
}

function compressionOf(bytes: Uint8Array): Compression | undefined {
  const begin = Buffer.from(bytes.subarray(0, 6)).toString('hex')
  if (begin.startsWith('1f8b')) return 'gz'
  if (begin.startsWith('fd377a585a00')) return 'xz'
  if (begin.startsWith('28b52ffd')) return 'zst'
  return Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar' ? 'none' : undefined
}

function stripped(path: string, count: number): string {
  return path.split('/').slice(count).join('/')
}

/** A link may lead anywhere below the target, and nowhere else: an archive is no way into the rest of the image. */
function innerLink(path: string, target: string, rule: TreeRule): string {
  if (target.startsWith('/')) {
    throw refused(
      rule,
      `has the link ${path} to the absolute path ${target}, which is for component.yaml to say under links`,
    )
  }
  let depth = path.split('/').length - 1
  for (const part of target.split('/')) {
    if (part === '..') depth--
    else if (part !== '' && part !== '.') depth++
    if (depth < 0) throw refused(rule, `has the link ${path} to ${target}, which leads out of the archive`)
  }
  return target
}

function hardlinkTarget(entry: TarEntry, entries: ReadonlyMap<string, SourceEntry>, rule: TreeRule): string {
  const target = stripped(entry.target!, rule.strip)
  if (entries.get(target)?.type === 'file') return target
  throw refused(rule, `has the hard link ${entry.path} to ${entry.target}, which is no file before it`)
}

function refused({ path }: TreeRule, why: string, cause?: unknown) {
  return badInput('bad-source', `${path} ${why}; put a right archive in its place.`, cause)
}
