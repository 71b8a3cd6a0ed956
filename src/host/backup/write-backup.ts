import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'
import { replaceFile } from '../../lib/atomic.ts'
import { SlipwayError } from '../../lib/errors.ts'
import type { Report } from '../../lib/progress.ts'
import { entryChecker, takesMore } from './check-entries.ts'
import {
  type BackupArchive,
  type BackupHeader,
  type BackupManifest,
  type BackupMember,
  headerName,
  manifestName,
  partName,
  partSize,
} from './format.ts'
import { cutParts } from './parts.ts'

/** Opens the tar of an archive; called once for each, in the header's order. */
export type OpenArchive = (archive: BackupArchive) => Promise<AsyncIterable<Uint8Array>>

export interface WrittenBackup {
  readonly manifest: BackupManifest
  /** Of the file: bytes, and lower-case hex. */
  readonly size: number
  readonly sha256: string
}

/**
 * Writes a backup: all of it under a temporary name first, so that `file` is either what it was or complete. One part
 * of one archive is in memory at a time. Throws `unsafe-content` for what a restore would refuse.
 */
export async function writeBackup(
  file: string,
  header: BackupHeader,
  open: OpenArchive,
  report: Report,
  signal?: AbortSignal,
): Promise<WrittenBackup> {
  const hash = createHash('sha256')
  let size = 0
  let manifest: BackupManifest = { members: [] }
  const count = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await replaceFile(file, async (temporary) => {
    const tar = pack()
    const filled = fill(tar, header, open, report).catch((error: unknown) => {
      tar.destroy(error as Error)
      throw error
    })
    filled.catch(() => {})
    const sink = createWriteStream(temporary, { mode: 0o600, flush: true })
    await pipeline(Readable.from(tar), createGzip({ level: 1 }), count, sink, signal ? { signal } : {})
    manifest = await filled
  })
  return { manifest, size, sha256: hash.digest('hex') }
}

async function fill(
  tar: Pack,
  header: BackupHeader,
  open: OpenArchive,
  report: Report,
): Promise<BackupManifest> {
  const mtime = new Date(header.created)
  const members: BackupMember[] = []
  const add = async (name: string, content: Buffer): Promise<void> => {
    const sha256 = createHash('sha256').update(content).digest('hex')
    members.push({ name, size: content.length, sha256 })
    await put(tar, name, content, mtime)
  }
  await add(headerName, json(header))
  for (const archive of header.archives) {
    const task = `back up ${archive.type} ${archive.of}`
    report({ type: 'start', task })
    let number = 0
    for await (const part of cutParts(checked(archive, await open(archive)), partSize)) {
      number++
      await add(partName(archive, number), part)
      report({ type: 'advance', task, by: part.length })
    }
    report({ type: 'finish', task })
  }
  const manifest = { members }
  await put(tar, manifestName, json(manifest), mtime)
  tar.finalize()
  return manifest
}

/** Passes a tar on while its entries are judged as a restore will judge them. */
async function* checked(
  archive: BackupArchive,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let fault: string | undefined
  const checker = entryChecker(archive, (found) => {
    fault ??= found
  })
  let failure: SlipwayError | undefined
  checker.once('error', (cause) => {
    const message = `The ${archive.type} ${archive.of} was cut off while it was read, perhaps because a file in it shrank; nothing was written. Run the same command again.`
    failure = new SlipwayError('cut-off', message, { cause })
  })
  const ended = new Promise<void>((resolve) => {
    checker.once('finish', resolve).once('close', resolve)
  })
  const refuse = (): void => {
    if (failure) throw failure
  }
  for await (const chunk of chunks) {
    refuse()
    // No race with what ends much later, which would keep each of its rounds until then.
    if (!checker.write(chunk)) await takesMore(checker)
    refuse()
    yield chunk
  }
  checker.end()
  await ended
  refuse()
  if (fault === undefined) return
  throw new SlipwayError(
    'unsafe-content',
    `The ${archive.type} ${archive.of} cannot be backed up: it holds ${fault}, which no restore accepts; remove that in the container, then run the same command again.`,
  )
}

function put(tar: Pack, name: string, content: Buffer, mtime: Date): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry({ name, mode: 0o644, mtime }, content, (error) => (error ? reject(error) : resolve()))
  })
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`)
}
