import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { badInput, errorCode } from '../lib/errors.ts'

/** A file to be read at any place, or several that follow each other as one. */
export interface BundleFile {
  /** How errors name it. */
  readonly name: string
  readonly size: number
  /** Exactly these bytes, at the beginning of `into` where that is given; fewer at the end of the file. */
  read(offset: number, length: number, into?: Buffer): Promise<Buffer>
  stream(offset: number, length: number): Readable
  close(): Promise<void>
}

export interface Piece {
  readonly file: string
  readonly size: number
}

/** Opens pieces that follow each other. Throws `no-bundle`, exit code 2. */
export async function openPieces(name: string, pieces: readonly Piece[]): Promise<BundleFile> {
  const handles: FileHandle[] = []
  const close = async (): Promise<void> => {
    for (const handle of handles.splice(0)) await handle.close()
  }
  try {
    for (const { file } of pieces) handles.push(await open(file, 'r'))
  } catch (error) {
    await close()
    throw unreadable(name, error)
  }
  const size = pieces.reduce((sum, piece) => sum + piece.size, 0)
  return {
    name,
    size,
    close,
    stream: (offset, length) =>
      Readable.from(readPieces(name, pieces, offset, length), { objectMode: false }),
    async read(offset, length, into) {
      const wanted = Math.max(0, Math.min(length, size - offset))
      const bytes = into ? into.subarray(0, wanted) : Buffer.allocUnsafe(wanted)
      let done = 0
      for (const { index, start, length: part } of cut(pieces, offset, wanted)) {
        for (let got = 0; got < part; ) {
          const { bytesRead } = await handles[index]!.read(bytes, done, part - got, start + got).catch(
            (error: unknown) => {
              throw lost(name, error)
            },
          )
          if (bytesRead === 0) return bytes.subarray(0, done)
          got += bytesRead
          done += bytesRead
        }
      }
      return bytes
    },
  }
}

const whatToName = 'name the .tar of a bundle, or any of its parts'

/** Opens one file. Throws `no-bundle`, exit code 2. */
export async function openWhole(file: string): Promise<BundleFile> {
  const found = await stat(file).catch((error: unknown) => {
    throw unreadable(file, error)
  })
  if (!found.isFile()) throw badInput('no-bundle', `${file} is no file; ${whatToName}.`)
  return openPieces(path.basename(file), [{ file, size: found.size }])
}

async function* readPieces(
  name: string,
  pieces: readonly Piece[],
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  for (const { index, start, length: part } of cut(pieces, offset, length)) {
    const { file } = pieces[index]!
    try {
      yield* createReadStream(file, { start, end: start + part - 1, highWaterMark: 1 << 20 })
    } catch (error) {
      throw lost(name, error)
    }
  }
}

/** The parts of the pieces that `length` bytes from `offset` lie in. */
function cut(
  pieces: readonly Piece[],
  offset: number,
  length: number,
): { index: number; start: number; length: number }[] {
  const found: { index: number; start: number; length: number }[] = []
  let begin = 0
  for (const [index, { size }] of pieces.entries()) {
    const from = Math.max(offset, begin)
    const to = Math.min(offset + length, begin + size)
    if (from < to) found.push({ index, start: from - begin, length: to - from })
    begin += size
  }
  return found
}

/** A medium that was pulled out, or is failing, as an error; what the reader was stopped with stays as it is. */
function lost(name: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error
  return badInput(
    'lost-bundle',
    `${name} can no longer be read (${errorCode(error)}); put its medium back in, or copy it to a disk of this host, then run the same command again.`,
    error,
  )
}

/** Why a file of a bundle cannot be opened, as an error. */
export function unreadable(name: string, error: unknown): unknown {
  const code = errorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return badInput('no-bundle', `There is no file ${name}; ${whatToName}.`, error)
  return badInput(
    'no-bundle',
    `${name} cannot be read (${code}); let this user read it, then run the same command again.`,
    error,
  )
}
