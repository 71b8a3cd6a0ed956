import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Pack, pack } from 'tar-stream'
import type { Engine } from '../../engine/engine.ts'
import type { ServiceDrift } from '../read-drift.ts'

/** The paths of a service that somebody changed or added, which a backup takes along. */
export function changedPaths({ paths }: ServiceDrift): string[] {
  return paths.filter((one) => one.class === 'changed' && one.kind !== 'deleted').map(({ path }) => path)
}

/** One tar of the files, links and folders at these absolute paths of a container, relative to its root. */
export function readPaths(
  engine: Engine,
  container: string,
  paths: readonly string[],
): AsyncIterable<Uint8Array> {
  const tar = pack()
  const fill = async (): Promise<void> => {
    for (const path of paths) await addPath(tar, engine, container, path)
    tar.finalize()
  }
  fill().catch((error: unknown) => tar.destroy(error as Error))
  return Readable.from(tar)
}

/** Of a folder only itself: what changed in it is named as well. What went away in the meantime is left out. */
async function addPath(tar: Pack, engine: Engine, container: string, path: string): Promise<void> {
  const source = await engine.containers.getArchive(container, path)
  if (!source) return
  const entries = extract()
  source.on('error', (error) => entries.destroy(error))
  source.pipe(entries as unknown as NodeJS.WritableStream)
  try {
    for await (const entry of entries) {
      const { mode, uid, gid, mtime, type, size, linkname, uname, gname } = entry.header
      const kept = { mode, uid, gid, mtime, type, size, linkname, uname, gname }
      const copy = tar.entry({ ...kept, name: path.slice(1) } as Parameters<Pack['entry']>[0])
      await pipeline(entry as unknown as NodeJS.ReadableStream, copy as unknown as NodeJS.WritableStream)
      return
    }
  } finally {
    entries.destroy()
    source.destroy()
  }
}
