import { pack } from 'tar-stream'

/** One entry of a made-up tar; anything goes, hostile names too. */
export interface TinyFile {
  readonly path: string
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'block-device' | 'fifo'
  readonly content?: string | Uint8Array
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Seconds since the epoch. */
  readonly mtime?: number
  /** Of a symlink or a hard link. */
  readonly target?: string
}

/** 2026-01-01T00:00:00Z, the date of everything here that has none of its own. */
export const tinyDate = 1_767_225_600

/** Packs entries in the order given, each under its own name: `./usr/bin/x` stays `./usr/bin/x`. */
export async function makeTar(files: readonly TinyFile[]): Promise<Buffer> {
  const tar = pack()
  const chunks: Buffer[] = []
  const read = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Buffer)
  })()
  for (const file of files) {
    const type = file.type ?? 'file'
    const header = {
      name: file.path,
      type,
      mode: file.mode ?? (type === 'directory' ? 0o755 : type === 'symlink' ? 0o777 : 0o644),
      uid: file.uid ?? 0,
      gid: file.gid ?? 0,
      mtime: new Date((file.mtime ?? tinyDate) * 1000),
      ...(file.target === undefined ? {} : { linkname: file.target }),
    }
    if (type === 'file') tar.entry(header, Buffer.from(file.content ?? ''))
    else tar.entry(header)
  }
  tar.finalize()
  await read
  return Buffer.concat(chunks)
}
