import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { commandName } from '../../lib/command-name.ts'
import { badInput, errorCode, SlipwayError } from '../../lib/errors.ts'
import { entryChecker, takesMore } from './check-entries.ts'
import { damaged } from './damaged.ts'
import {
  archiveName,
  type BackupArchive,
  type BackupHeader,
  type BackupManifest,
  type BackupMember,
  headerName,
  manifestName,
  partName,
  partSize,
} from './format.ts'
import { readHeader, readManifest } from './read-header.ts'

/** A backup whose every byte was checked once. */
export interface Backup {
  readonly file: string
  readonly header: BackupHeader
  readonly manifest: BackupManifest
  /** The tar of one archive, read anew and checked again on the way. */
  open(archive: BackupArchive): AsyncIterable<Uint8Array>
}

interface Member {
  readonly name: string
  readonly content: Buffer
}

/** More than any manifest of ours: that of a volume of 10 TB has 250 MB. */
const manifestLimit = 256 * 1024 * 1024

/**
 * Reads a backup to its end and checks all of it before anybody uses any of it. Throws bad input: `no-such-file`,
 * `damaged-backup`, `newer-backup`, `unsafe-backup`.
 */
export async function openBackup(file: string, signal?: AbortSignal): Promise<Backup> {
  let header: BackupHeader | undefined
  let manifest: BackupManifest | undefined
  const seen: BackupMember[] = []
  const archives = new ArchiveChecks(file)
  for await (const { name, content } of members(file, signal)) {
    if (manifest) throw damaged(file, `something follows ${manifestName}`)
    if (!header) {
      if (name !== headerName) throw damaged(file, `it does not begin with ${headerName}`)
      header = readHeader(file, content)
      archives.expect(header.archives)
    } else if (name === manifestName) {
      manifest = readManifest(file, content)
      continue
    } else await archives.take(name, content)
    seen.push({ name, size: content.length, sha256: sha256(content) })
  }
  if (!header || !manifest) throw damaged(file, 'it ends early')
  await archives.end()
  const wrong = seen.findIndex((member, index) => !sameMember(member, manifest.members[index]))
  if (wrong >= 0) throw damaged(file, `${seen[wrong]!.name} has another checksum than its manifest says`)
  if (seen.length !== manifest.members.length)
    throw damaged(file, 'it holds fewer files than its manifest says')
  const complete = manifest
  return { file, header, manifest, open: (archive) => reopen(file, complete, archive, signal) }
}

/** Judges the parts of each archive as they pass: in order, and with entries that may be there. */
class ArchiveChecks {
  readonly #file: string
  #expected: readonly BackupArchive[] = []
  #at = 0
  #number = 0
  #checker: Writable | undefined
  #failed: unknown
  #fault: string | undefined

  constructor(file: string) {
    this.#file = file
  }

  expect(archives: readonly BackupArchive[]): void {
    this.#expected = archives
  }

  async take(name: string, content: Buffer): Promise<void> {
    for (; this.#at < this.#expected.length; this.#at++, this.#number = 0) {
      if (name === partName(this.#expected[this.#at]!, this.#number + 1)) break
      await this.#close()
    }
    const archive = this.#expected[this.#at]
    if (!archive)
      throw damaged(this.#file, `it holds ${JSON.stringify(name).slice(0, 100)}, which does not belong there`)
    this.#number++
    this.#checker ??= this.#open(archive)
    const checker = this.#checker
    // One that gave up since the last part was written has closed, and would not say so again.
    this.#refuse(archive)
    if (!checker.write(content)) await takesMore(checker)
    this.#refuse(archive)
  }

  async end(): Promise<void> {
    await this.#close()
  }

  #open(archive: BackupArchive): Writable {
    const checker = entryChecker(archive, (fault) => {
      this.#fault ??= fault
    })
    checker.on('error', (error) => {
      this.#failed ??= error
    })
    return checker
  }

  async #close(): Promise<void> {
    const checker = this.#checker
    if (!checker) return
    this.#checker = undefined
    this.#refuse(this.#expected[this.#at]!)
    await new Promise<void>((resolve) => {
      checker.once('close', resolve)
      checker.once('finish', resolve)
      checker.end()
    })
    this.#refuse(this.#expected[this.#at]!)
  }

  #refuse(archive: BackupArchive): void {
    if (this.#failed) throw damaged(this.#file, `${archiveName(archive)} is no whole tar`, this.#failed)
    if (this.#fault === undefined) return
    throw badInput(
      'unsafe-backup',
      `${this.#file} is refused: ${archiveName(archive)} holds ${this.#fault}; nothing was changed. Take a backup that \`${commandName()} backup\` wrote.`,
    )
  }
}

async function* reopen(
  file: string,
  manifest: BackupManifest,
  archive: BackupArchive,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const expected = manifest.members.filter(({ name }) => name.startsWith(`${archiveName(archive)}.`))
  let next = 0
  for await (const { name, content } of members(file, signal)) {
    if (next === expected.length) return
    if (name !== expected[next]!.name) continue
    if (sha256(content) !== expected[next]!.sha256) break
    next++
    yield content
  }
  if (next < expected.length) throw damaged(file, 'it changed while it was read')
}

/** The members of the outer tar; none is larger than a part, but for the manifest. */
async function* members(file: string, signal: AbortSignal | undefined): AsyncGenerator<Member> {
  const tar = extract()
  const source = createReadStream(file, signal ? { signal } : {})
  const feeding = pipeline(source, createGunzip(), tar as unknown as NodeJS.WritableStream)
  feeding.catch(() => {})
  try {
    for await (const entry of tar) {
      const { name, type, size = 0 } = entry.header
      if (type !== 'file')
        throw damaged(file, `it holds ${JSON.stringify(name).slice(0, 100)}, which is no plain file`)
      if (size > (name === manifestName ? manifestLimit : partSize))
        throw damaged(file, `${JSON.stringify(name).slice(0, 100)} is larger than it may be`)
      const chunks: Uint8Array[] = []
      for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk)
      yield { name, content: Buffer.concat(chunks) }
    }
    await feeding
  } catch (error) {
    throw explain(file, error, signal)
  } finally {
    source.destroy()
    tar.destroy()
  }
}

function explain(file: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted || error instanceof SlipwayError) return error
  const code = errorCode(error) ?? ''
  if (code === 'ENOENT')
    return badInput(
      'no-such-file',
      `There is no file ${file}; name a backup that \`${commandName()} backup\` wrote.`,
      error,
    )
  if (code === 'EISDIR')
    return badInput(
      'no-such-file',
      `${file} is a folder; name a backup that \`${commandName()} backup\` wrote.`,
      error,
    )
  if (code === 'Z_BUF_ERROR') return damaged(file, 'it ends early', error)
  if (/^E[A-Z]+$/.test(code) && code !== 'ERR')
    return badInput('unreadable-backup', `${file} cannot be read (${code}); nothing was changed.`, error)
  if (code === 'Z_DATA_ERROR' && error instanceof Error && /header check/.test(error.message))
    return damaged(file, 'it is no gzip file', error)
  return damaged(
    file,
    error instanceof Error ? error.message.toLowerCase().replace(/\.$/, '') : String(error),
    error,
  )
}

function sameMember(a: BackupMember, b: BackupMember | undefined): boolean {
  return a.name === b?.name && a.size === b.size && a.sha256 === b.sha256
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
