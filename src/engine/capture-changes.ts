import { readTar, type TarEntry } from '../debian/tar-reader.ts'
import { parentOf } from '../image/file-tree.ts'
import type { CapturedChanges } from '../image/run/script-runner.ts'
import { compareBytes } from '../lib/compare-bytes.ts'
import type { PathChange } from './containers-port.ts'
import type { Engine } from './engine.ts'

/**
 * Reads out of a container what differs from its image: a new folder whole, a changed folder's own facts, and changed
 * files. Of what is not `wanted` nothing is read. Sockets and pipes are left out: they are a running program's.
 */
export async function captureChanges(
  { containers }: Engine,
  container: string,
  wanted: (path: string) => boolean,
): Promise<CapturedChanges> {
  const changes = (await containers.changes(container))
    .map((change) => ({ ...change, path: change.path.slice(1) }))
    .filter(({ path }) => wanted(path))
  const added = new Set(changes.filter(({ kind }) => kind === 'added').map(({ path }) => path))
  const entries = new Map<string, TarEntry>()
  for (const { path, kind } of changes) {
    if (kind === 'deleted' || isBelow(path, added)) continue
    for (const entry of await readPath({ containers }, container, path, kind)) {
      if (wanted(entry.path)) entries.set(entry.path, entry)
    }
  }
  return {
    entries: [...entries.values()].sort((a, b) => compareBytes(a.path, b.path)),
    deleted: changes.filter(({ kind }) => kind === 'deleted').map(({ path }) => path),
  }
}

/** Whether a folder above is new itself: it is read whole. */
function isBelow(path: string, added: ReadonlySet<string>): boolean {
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
    if (added.has(parent)) return true
  }
  return false
}

const block = 512

async function readPath(
  { containers }: Pick<Engine, 'containers'>,
  container: string,
  path: string,
  kind: PathChange['kind'],
): Promise<TarEntry[]> {
  const stream = await containers.getArchive(container, `/${path}`)
  if (!stream) return []
  const chunks: Buffer[] = []
  let end: number | undefined
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    // Of a folder that was there before only its own header counts, and its content may be all of /usr.
    if (kind === 'modified' && chunks.length < 3) end = endOfFolderHeader(Buffer.concat(chunks))
    if (end !== undefined) break
  }
  const whole = Buffer.concat(chunks)
  const tar = end === undefined ? whole : Buffer.concat([whole.subarray(0, end), Buffer.alloc(2 * block)])
  const above = parentOf(path)
  return readTar(withoutPipes(tar)).map((entry) => ({
    ...entry,
    path: above === '' ? entry.path : `${above}/${entry.path}`,
    ...(entry.type === 'hardlink' && above !== '' && { target: `${above}/${entry.target}` }),
  }))
}

/** Where the header of a tar's first entry ends, pax records before it included; undefined: it is no folder, or cut. */
function endOfFolderHeader(tar: Buffer): number | undefined {
  for (let offset = 0; offset + block <= tar.length; ) {
    if (tar[offset + 156] === 0x35) return offset + block
    if (tar[offset + 156] !== 0x78) return undefined
    offset += block + Math.ceil(sizeAt(tar, offset) / block) * block
  }
  return undefined
}

function sizeAt(tar: Buffer, offset: number): number {
  return Number.parseInt(tar.toString('latin1', offset + 124, offset + 135), 8) || 0
}

/** A tar without its pipes and device nodes, which readTar refuses of packages. */
function withoutPipes(tar: Buffer): Buffer {
  const kept: Buffer[] = []
  for (let offset = 0; offset + block <= tar.length; ) {
    const next = offset + block + Math.ceil(sizeAt(tar, offset) / block) * block
    if (![0x33, 0x34, 0x36].includes(tar[offset + 156]!)) kept.push(tar.subarray(offset, next))
    offset = next
  }
  return Buffer.concat(kept)
}
