import { mkdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { takeOver, unfinishedName } from './begun-download.ts'
import { formatBytes } from './bytes.ts'
import { DownloadSink } from './download-sink.ts'
import { errorCode, SlipwayError } from './errors.ts'
import { Failure, statusFailure } from './http-failure.ts'
import { type Answer, get, readLimited } from './http-request.ts'
import { type Patience, withRetries } from './http-retry.ts'
import { shownUrl } from './url-user.ts'

export interface DownloadOptions extends Patience {
  readonly env?: NodeJS.ProcessEnv
  /** Bytes as they come; negative where some are thrown away to begin again. */
  readonly onBytes?: (by: number) => void
  readonly connectTimeout?: number
  readonly stallTimeout?: number
  /** What asks for the bytes, where that takes more than a plain GET: a password, a token. */
  readonly get?: typeof get
}

/** A file whose size and SHA-256 are known from what is trusted: a signed index, a lock, a manifest. */
export interface KnownFile {
  readonly url: string
  /** How errors name it: "openssl_3.5.1-1_amd64.deb", "the blob sha256:…". */
  readonly name: string
  readonly size: number
  readonly sha256: string
  readonly wording: DownloadWording
}

/** Ends of error sentences. */
export interface DownloadWording {
  /** Who told size and hash: "the signed index". */
  readonly authority: string
  /** What to do about a file that cannot be had. */
  readonly advice: string
}

/**
 * Downloads a file and checks its size and SHA-256 as it comes; `target` appears whole and right, or not at all. What
 * came before a cut is kept, and the rest is asked for by Range, also in a later run and after a kill.
 * Throws `not-found` (404, 410), `download-failed`, `wrong-hash`, `disk-full`, or the signal's reason.
 */
export async function downloadFile(
  file: KnownFile,
  target: string,
  options: DownloadOptions = {},
): Promise<void> {
  const partial = `${target}.partial`
  const temporary = unfinishedName(target)
  try {
    await mkdir(path.dirname(target), { recursive: true })
    await takeOver(target, temporary)
    const sink = await DownloadSink.open(temporary, options.onBytes)
    let keep = false
    try {
      const progress = (): number => sink.received
      await withRetries({ ...options, progress }, () => receive(file, sink, options), gaveUp(file))
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
  file: Pick<KnownFile, 'url' | 'name' | 'wording'> & { readonly limit: number },
  options: DownloadOptions = {},
): Promise<Buffer> {
  const attempt = async (): Promise<Buffer> => {
    const answer = await (options.get ?? get)(file.url, options)
    refuseStatus(answer, [200])
    return readLimited(answer, file.limit)
  }
  return withRetries(options, attempt, gaveUp(file))
}

function gaveUp({ name, url, wording }: Pick<KnownFile, 'url' | 'name' | 'wording'>) {
  return (failure: Failure, tried: number): SlipwayError => {
    const gone = failure.status === 404 || failure.status === 410
    const times = tried > 1 ? `, asked ${tried} times` : ''
    return new SlipwayError(
      gone ? 'not-found' : 'download-failed',
      `${name.replace(/^the /, 'The ')} cannot be downloaded from ${shownUrl(url)}: ${failure.message}${times}; ${wording.advice}.`,
      { cause: failure.cause ?? failure },
    )
  }
}

function refuseStatus(answer: Answer, wanted: readonly number[]): void {
  if (wanted.includes(answer.status)) return
  answer.discard()
  throw statusFailure(answer.status, answer.headers['retry-after'])
}

/** One request for what the sink lacks. */
async function receive(file: KnownFile, sink: DownloadSink, options: DownloadOptions): Promise<void> {
  if (sink.received < file.size || file.size === 0) {
    const from = sink.received
    if (from > 0) sink.resumed = true
    const headers = from > 0 ? { range: `bytes=${from}-` } : {}
    const answer = await (options.get ?? get)(file.url, { ...options, headers })
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

function wrongSize(file: KnownFile, found?: number): SlipwayError {
  const size =
    found === undefined
      ? `more bytes than the ${file.size} that ${file.wording.authority} says`
      : `${found} bytes where ${file.wording.authority} says ${file.size}`
  return new SlipwayError(
    'wrong-hash',
    `The file that ${hostOf(file.url)} serves for ${file.name} has ${size}, so it is refused; ${file.wording.advice}.`,
  )
}

function wrongHash(file: KnownFile): SlipwayError {
  return new SlipwayError(
    'wrong-hash',
    `The file that ${hostOf(file.url)} serves for ${file.name} has another SHA-256 than ${file.wording.authority} says, so it is refused; ${file.wording.advice}.`,
  )
}

function hostOf(url: string): string {
  return new URL(url).host
}

function diskError(error: unknown, file: KnownFile, target: string): unknown {
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
