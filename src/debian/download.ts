import { mkdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryName } from '../lib/atomic.ts'
import { formatBytes } from '../lib/bytes.ts'
import { errorCode, SlipwayError } from '../lib/errors.ts'
import { DownloadSink } from './download-sink.ts'
import { Failure, shownUrl, statusFailure } from './http-failure.ts'
import { type Answer, get } from './http-get.ts'

export interface DownloadOptions {
  readonly signal?: AbortSignal
  readonly env?: NodeJS.ProcessEnv
  /** Bytes as they come; negative where some are thrown away to begin again. */
  readonly onBytes?: (by: number) => void
  /** How often one file is asked for before giving up; 4 unless told. */
  readonly attempts?: number
  /** Milliseconds before the second attempt, doubled for each further one; 500 unless told. */
  readonly backoff?: number
  readonly connectTimeout?: number
  readonly stallTimeout?: number
}

/** A file whose size and SHA-256 the signed index, or the lock, has told. */
export interface SignedFile {
  readonly url: string
  /** How errors name it: "openssl_3.5.1-1_amd64.deb". */
  readonly name: string
  readonly size: number
  readonly sha256: string
}

/** Longer than this no answer is waited for, whatever Retry-After says. */
const longestWait = 30_000
const advice = 'try again later, or set another mirror (debian.mirror in appliance.yaml, or SLIPWAY_MIRROR)'

/**
 * Downloads a file and checks its size and SHA-256 as it comes; `target` appears whole and right, or not at all. What
 * came before a cut is kept as `<target>.partial` and the rest is asked for by Range, also in a later run.
 * Throws `not-found` (404, 410), `download-failed`, `wrong-hash`, `disk-full`, or the signal's reason.
 */
export async function downloadFile(
  file: SignedFile,
  target: string,
  options: DownloadOptions = {},
): Promise<void> {
  const partial = `${target}.partial`
  const temporary = temporaryName(target)
  try {
    await mkdir(path.dirname(target), { recursive: true })
    // Taking the partial by rename keeps two processes from writing on one file.
    await rename(partial, temporary).catch((error) => {
      if (errorCode(error) !== 'ENOENT') throw error
    })
    const sink = await DownloadSink.open(temporary, file.size, options.onBytes)
    let keep = false
    try {
      await withRetries(file, options, () => receive(file, sink, options))
      await sink.close()
      await settle(temporary, target)
      keep = true
    } catch (error) {
      await sink.close()
      if (
        !['wrong-hash', 'ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '') &&
        sink.received > 0 &&
        sink.received < file.size
      ) {
        keep = await rename(temporary, partial).then(
          () => true,
          () => false,
        )
      }
      throw error
    } finally {
      if (!keep) await rm(temporary, { force: true })
    }
  } catch (error) {
    throw diskError(error, file, target)
  }
}

/** Another process may have brought the same file, and Windows refuses to rename onto one that is being read. */
async function settle(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target)
  } catch (error) {
    const refused = ['EPERM', 'EACCES', 'EBUSY'].includes(errorCode(error) ?? '')
    if (!refused || (await stat(target).catch(() => undefined))?.size !== (await stat(temporary)).size)
      throw error
    await rm(temporary, { force: true })
  }
}

/** Downloads a small file that nothing has told the hash of (an InRelease) into memory. */
export async function downloadBytes(
  file: { readonly url: string; readonly name: string; readonly limit: number },
  options: DownloadOptions = {},
): Promise<Buffer> {
  return withRetries(file, options, async () => {
    const answer = await get(file.url, options)
    refuseStatus(answer, [200])
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of answer.body) {
      length += chunk.length
      if (length > file.limit) {
        throw new Failure(`it sends more than the ${formatBytes(file.limit)} such a file may have`, false)
      }
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  })
}

async function withRetries<T>(
  file: { readonly url: string; readonly name: string },
  options: DownloadOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  const attempts = options.attempts ?? 4
  for (let tried = 1; ; tried++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const wait = error.after ?? (options.backoff ?? 500) * 2 ** (tried - 1)
      if (!error.retry || tried >= attempts || wait > longestWait) throw downloadError(file, error, tried)
      await sleep(wait, undefined, options.signal ? { signal: options.signal } : {}).catch(() => {
        throw options.signal?.reason
      })
    }
  }
}

function downloadError(
  file: { readonly url: string; readonly name: string },
  failure: Failure,
  tried: number,
): SlipwayError {
  const gone = failure.status === 404 || failure.status === 410
  const times = tried > 1 ? `, asked ${tried} times` : ''
  return new SlipwayError(
    gone ? 'not-found' : 'download-failed',
    `${file.name} cannot be downloaded from ${shownUrl(file.url)}: ${failure.message}${times}; ${advice}.`,
    { cause: failure.cause ?? failure },
  )
}

function refuseStatus(answer: Answer, wanted: readonly number[]): void {
  if (wanted.includes(answer.status)) return
  answer.discard()
  throw statusFailure(answer.status, answer.headers['retry-after'])
}

/** One request for what the sink lacks. */
async function receive(file: SignedFile, sink: DownloadSink, options: DownloadOptions): Promise<void> {
  if (sink.received < file.size || file.size === 0) {
    const from = sink.received
    if (from > 0) sink.resumed = true
    const headers = from > 0 ? { range: `bytes=${from}-` } : {}
    const answer = await get(file.url, { ...options, headers })
    if (from > 0 && answer.status === 416) {
      answer.discard()
      await sink.restart()
      return receive(file, sink, options)
    }
    if (from > 0 && answer.status === 200) await sink.restart()
    refuseStatus(answer, [200, 206])
    const announced = Number(answer.headers['content-length'] ?? file.size - sink.received)
    if (sink.received + announced !== file.size) {
      answer.discard()
      throw wrongSize(file, sink.received + announced)
    }
    for await (const chunk of answer.body) {
      if (sink.received + chunk.length > file.size) throw wrongSize(file)
      await sink.write(chunk)
    }
  }
  if (sink.received < file.size) throw new Failure('the connection was cut', true)
  if (sink.digest() === file.sha256) return
  // A rotten beginning from an earlier run must not fail for ever: once, all of it is asked for again.
  if (sink.resumed) {
    await sink.restart()
    return receive(file, sink, options)
  }
  throw wrongHash(file)
}

function wrongSize(file: SignedFile, found?: number): SlipwayError {
  const size =
    found === undefined
      ? `more bytes than the ${file.size} that the signed index says`
      : `${found} bytes where the signed index says ${file.size}`
  return new SlipwayError(
    'wrong-hash',
    `The file that ${hostOf(file.url)} serves for ${file.name} has ${size}, so it is refused; ${advice}.`,
  )
}

function wrongHash(file: SignedFile): SlipwayError {
  return new SlipwayError(
    'wrong-hash',
    `The file that ${hostOf(file.url)} serves for ${file.name} has another SHA-256 than the signed index says, so it is refused; ${advice}.`,
  )
}

function hostOf(url: string): string {
  return new URL(url).host
}

function diskError(error: unknown, file: SignedFile, target: string): unknown {
  const folder = path.dirname(target)
  if (['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')) {
    return new SlipwayError(
      'disk-full',
      `The disk of ${folder} has no room for ${file.name} (${formatBytes(file.size)}); free some space, or set SLIPWAY_CACHE to a folder that has it, and run the same command again.`,
      { cause: error },
    )
  }
  return cannotWrite(folder, error)
}

/** A folder of the cache that may not be written, as a sentence; any other error as it is. */
export function cannotWrite(folder: string, error: unknown): unknown {
  const code = error instanceof SlipwayError ? undefined : errorCode(error)
  if (code && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)) {
    return new SlipwayError(
      'cannot-write',
      `${folder} cannot be written to (${code}); set SLIPWAY_CACHE to a folder that can, and run the same command again.`,
      { cause: error },
    )
  }
  return error
}
