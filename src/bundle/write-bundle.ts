import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { temporaryName, writeFailure, writeFileAtomic } from '../lib/atomic.ts'
import { sha256Hex } from '../lib/digest.ts'
import { badInput, errorCode } from '../lib/errors.ts'
import { makeFolder } from '../lib/make-folder.ts'
import type { Report } from '../lib/progress.ts'
import type { PackedBundle } from './pack-bundle.ts'
import { type PartsManifest, partName, partsSuffix } from './parts.ts'

export interface WriteOptions {
  /** Bytes of a part; absent: one file. */
  readonly split?: number
  readonly report: Report
  readonly signal?: AbortSignal
}

export interface WrittenFile {
  readonly name: string
  readonly size: number
  readonly sha256: string
}

/** Smaller parts are a slip of the pen, and more of them than three digits count. */
const smallestPart = 64 << 10

/**
 * Writes a bundle into a folder: one file, or parts and their list. Each gets its name only when all are whole;
 * parts of an earlier writing are taken away. Throws `disk-full`, `cannot-write`, `bad-size`.
 */
export async function writeBundle(
  folder: string,
  bundle: PackedBundle,
  { split, report, signal }: WriteOptions,
): Promise<WrittenFile[]> {
  refuseSize(bundle, split)
  const task = `write ${bundle.name}`
  const writer = new PartWriter(folder, bundle.name, split)
  let removeFolder = async (): Promise<void> => {}
  try {
    removeFolder = await makeFolder(folder).catch((error: unknown) => {
      if (['ENOTDIR', 'EEXIST'].includes(errorCode(error) ?? ''))
        throw badInput(
          'no-such-folder',
          `${path.dirname(folder)} is no folder; choose one with --out DIR.`,
          error,
        )
      throw error
    })
    report({ type: 'start', task, total: bundle.size, unit: 'bytes' })
    for await (const chunk of bundle.bytes()) {
      signal?.throwIfAborted()
      await writer.write(chunk)
      report({ type: 'advance', task, by: chunk.length })
    }
    const files = await writer.finish()
    await removeOthers(folder, bundle.name, files)
    const list = split === undefined ? [] : [await writeList(folder, bundle, files)]
    report({ type: 'finish', task })
    return [...files, ...list]
  } catch (error) {
    await writer.discard()
    await removeFolder()
    throw writeFailure(path.join(folder, bundle.name), error)
  }
}

/** Writes what goes beside a bundle, and the checksums of all that lies there. */
export async function writeBeside(
  folder: string,
  { beside }: PackedBundle,
  bundle: readonly WrittenFile[],
): Promise<WrittenFile[]> {
  const files = beside.flatMap((file) => ('bytes' in file ? [{ name: file.path, bytes: file.bytes }] : []))
  for (const { name, bytes } of files) await writeFileAtomic(path.join(folder, name), bytes)
  const described = files.map(({ name, bytes }) => ({ name, size: bytes.length, sha256: sha256Hex(bytes) }))
  const sums = Buffer.from(
    [...bundle, ...described].map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''),
  )
  await writeFileAtomic(path.join(folder, sumsName), sums)
  return [...described, { name: sumsName, size: sums.length, sha256: sha256Hex(sums) }]
}

const sumsName = 'SHA256SUMS'

function refuseSize({ name, size }: PackedBundle, split: number | undefined): void {
  if (split === undefined) return
  if (split < smallestPart)
    throw badInput(
      'bad-size',
      `--split ${split} is less than ${smallestPart} bytes; say what the medium holds, such as 700m.`,
    )
  if (size / split > 999)
    throw badInput(
      'bad-size',
      `--split ${split} cuts ${name} into more than 999 parts; choose a larger size.`,
    )
}

async function writeList(
  folder: string,
  { name, size }: PackedBundle,
  parts: readonly WrittenFile[],
): Promise<WrittenFile> {
  const list: PartsManifest = { format: 1, name, size, parts }
  const bytes = Buffer.from(`${JSON.stringify(list, null, 2)}\n`)
  const file = `${name}${partsSuffix}`
  await writeFileAtomic(path.join(folder, file), bytes)
  return { name: file, size: bytes.length, sha256: sha256Hex(bytes) }
}

async function removeOthers(folder: string, name: string, files: readonly WrittenFile[]): Promise<void> {
  const kept = new Set(files.map((file) => file.name))
  for (const other of await readdir(folder)) {
    const rest = other.startsWith(name) ? other.slice(name.length) : undefined
    if (rest === undefined || !/^(\.\d{3,}|\.parts)?$/.test(rest) || kept.has(other)) continue
    await rm(path.join(folder, other), { force: true })
  }
}

/** Files that fill one after the other, under names of their own until all are whole. */
class PartWriter {
  readonly #folder: string
  readonly #name: string
  readonly #limit: number
  readonly #split: boolean
  readonly #done: { temporary: string; file: WrittenFile }[] = []
  #open: { handle: FileHandle; temporary: string; hash: Hash; size: number } | undefined

  constructor(folder: string, name: string, split: number | undefined) {
    this.#folder = folder
    this.#name = name
    this.#split = split !== undefined
    this.#limit = split ?? Number.POSITIVE_INFINITY
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      this.#open ??= await this.#create()
      const part = chunk.subarray(at, at + Math.min(chunk.length - at, this.#limit - this.#open.size))
      for (let done = 0; done < part.length; )
        done += (await this.#open.handle.write(part, done, part.length - done)).bytesWritten
      this.#open.hash.update(part)
      this.#open.size += part.length
      at += part.length
      if (this.#open.size === this.#limit) await this.#close()
    }
  }

  async finish(): Promise<WrittenFile[]> {
    await this.#close()
    for (const { temporary, file } of this.#done) await rename(temporary, path.join(this.#folder, file.name))
    return this.#done.map(({ file }) => file)
  }

  async discard(): Promise<void> {
    await this.#close().catch(() => {})
    for (const { temporary } of this.#done) await rm(temporary, { force: true }).catch(() => {})
  }

  async #create() {
    const temporary = temporaryName(path.join(this.#folder, this.#name))
    return { handle: await open(temporary, 'wx'), temporary, hash: createHash('sha256'), size: 0 }
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    const { handle, temporary, hash, size } = this.#open
    this.#open = undefined
    const name = this.#split ? partName(this.#name, this.#done.length + 1) : this.#name
    this.#done.push({ temporary, file: { name, size, sha256: hash.digest('hex') } })
    await handle.sync()
    await handle.close()
  }
}
