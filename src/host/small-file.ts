import type { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { writeTar } from '../image/tar-writer.ts'

/** A tar of one file that only root may read, as `putArchive` takes it. */
export function tarOfFile(path: string, text: string): Buffer {
  const mtime = Math.floor(Date.now() / 1000)
  const content = Buffer.from(text)
  return Buffer.concat(writeTar([{ path, type: 'file', mode: 0o600, uid: 0, gid: 0, mtime, content }]))
}

/** The files of an archive that `getArchive` gave, whole in memory: last name → text. Nothing where there is none. */
export async function readSmallFiles(archive: Readable | undefined): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  if (!archive) return files
  const entries = extract()
  // At once, since an archive that breaks off must break the reading too.
  entries.end(Buffer.concat(await archive.toArray()))
  for await (const entry of entries) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    const { name, type } = entry.header
    if (type === 'file') files.set(name.split('/').at(-1)!, Buffer.concat(chunks).toString('utf8'))
  }
  return files
}
