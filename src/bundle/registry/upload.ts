import type { Digest } from '../../lib/digest.ts'
import { Failure } from '../../lib/http-failure.ts'
import type { PiecedBody } from '../../lib/http-options.ts'
import type { Answer } from '../../lib/http-request.ts'
import { withRetries } from '../../lib/http-retry.ts'
import type { Question, RegistrySession } from './session.ts'

/** A blob that can be read from anywhere in it. */
export interface UploadBlob {
  readonly digest: Digest
  readonly size: number
  /** Its bytes from an offset, `length` of them. */
  read(from: number, length: number): Promise<Uint8Array>
}

export interface UploadOptions {
  /** A repository of the same registry that may have the blob: it is then mounted from there. */
  readonly mountFrom?: string | undefined
  /** Bytes as they are taken; negative where the registry lost some. */
  readonly onBytes?: (by: number) => void
}

const chunkSize = 8 * 2 ** 20

/**
 * Registries that want a blob in one piece: some of the large ones take no chunks, or none of this size, and one answers
 * as if it took them and throws away all but the first.
 */
const wholeOnly = new WeakSet<RegistrySession>()

/** An upload under way: where the registry wants the next bytes, and how many it has. */
interface Upload {
  location: string
  offset: number
  /** Whether the last request ended in a way that leaves open what the registry took. */
  doubtful: boolean
}

/**
 * Brings a blob to a registry (distribution-spec, "Pushing Blobs"): in one piece where it is small, else in chunks, and
 * in one piece again where the registry does not take those. A cut upload in chunks goes on where the registry says it
 * stopped. Throws what `RegistrySession.gaveUp` makes.
 */
export async function uploadBlob(
  session: RegistrySession,
  blob: UploadBlob,
  { mountFrom, onBytes = () => {} }: UploadOptions = {},
): Promise<'uploaded' | 'mounted' | 'present'> {
  const what = `The blob ${blob.digest} cannot be pushed`
  let upload: Upload | undefined
  let begun = false
  const moveTo = (offset: number): void => {
    onBytes(offset - (upload?.offset ?? 0))
    if (upload) upload.offset = offset
  }
  const forget = (): void => {
    moveTo(0)
    upload = undefined
  }

  const attempt = async (): Promise<'uploaded' | 'mounted' | 'present'> => {
    if (upload?.doubtful && (wholeOnly.has(session) || !(await findOffset(upload)))) forget()
    if (!upload) {
      // The end of an upload may have been reached, and only its answer lost.
      if (begun && (await isThere(session, blob.digest, what))) {
        onBytes(blob.size)
        return 'present'
      }
      const mount = mountFrom && !begun ? `?mount=${blob.digest}&from=${encodeURIComponent(mountFrom)}` : ''
      begun = true
      const answer = await begin(mount)
      if (answer.status === 201) {
        onBytes(blob.size)
        return 'mounted'
      }
      if (Number(answer.headers['oci-chunk-min-length'] ?? 0) > chunkSize) wholeOnly.add(session)
      upload = { location: locationOf(answer), offset: 0, doubtful: false }
    }
    const current = upload
    if (blob.size <= chunkSize || (wholeOnly.has(session) && current.offset === 0)) await finish(current)
    else await sendChunks(current).catch(giveUpChunks)
    return 'uploaded'
  }

  const sendChunks = async (current: Upload): Promise<void> => {
    while (current.offset < blob.size) await sendChunk(current)
    await finish(current)
  }

  /** What was refused in chunks may be taken whole; what no request may bring is not tried in a larger one. */
  const giveUpChunks = (error: unknown): never => {
    const { status, retry } = error instanceof Failure ? error : {}
    if (retry !== false || status === undefined || [401, 403, 413].includes(status)) throw error
    return insistOnWhole()
  }

  const insistOnWhole = (): never => {
    wholeOnly.add(session)
    throw new Failure('it takes no chunks', true, { after: 0 })
  }

  const ask = async (question: Question): Promise<Answer> => {
    const answer = await session.askOnce(question)
    answer.discard()
    return answer
  }

  /** A registry that lends nothing to whoever asks, who may not read there or no more, still takes the blob itself. */
  const begin = async (mount: string): Promise<Answer> => {
    const question = { method: 'POST', path: 'blobs/uploads/', wanted: [201, 202], what } as const
    if (mount === '') return ask(question)
    return ask({ ...question, path: `blobs/uploads/${mount}` }).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.retry || error.status === undefined) throw error
      return ask(question)
    })
  }

  const sendChunk = async (current: Upload): Promise<void> => {
    const { offset } = current
    const body = await blob.read(offset, Math.min(chunkSize, blob.size - offset))
    const end = offset + body.length
    current.doubtful = true
    const answer = await ask({
      method: 'PATCH',
      path: current.location,
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${end - 1}` },
      body,
      wanted: [201, 202, 204, 404, 416],
      what,
    })
    const { status, headers } = answer
    if (status === 404 && offset === 0) throw new Failure('it lost track of the upload', true)
    const took = endOf(headers.range)
    if (![202, 204].includes(status) || (took !== undefined && took + 1 !== end)) return insistOnWhole()
    current.location = locationOf(answer)
    current.doubtful = false
    moveTo(end)
  }

  /** The last request: for a blob that goes in one piece with all its bytes. */
  const finish = async (current: Upload): Promise<void> => {
    const { offset } = current
    const length = blob.size - offset
    const body = length > chunkSize ? pieces() : await blob.read(offset, length)
    current.doubtful = true
    const url = new URL(current.location)
    url.searchParams.set('digest', blob.digest)
    await ask({
      method: 'PUT',
      path: url.href,
      headers: {
        'content-type': 'application/octet-stream',
        ...(offset > 0 && body.length > 0 && { 'content-range': `${offset}-${blob.size - 1}` }),
      },
      body,
      wanted: [201],
      what,
    })
    moveTo(blob.size)
  }

  /** All of a blob, read as it is sent. */
  const pieces = (): PiecedBody => ({
    length: blob.size,
    read: async (from, length) => {
      moveTo(from)
      return blob.read(from, length)
    },
  })

  /** Asks how much came; false where the registry no longer knows the upload, or cannot say. */
  const findOffset = async (current: Upload): Promise<boolean> => {
    const answer = await session.askOnce({
      path: current.location,
      wanted: [204, 202, 400, 404, 405, 416],
      what,
    })
    answer.discard()
    const end = endOf(answer.headers.range)
    // "0-0" is said of nothing and of one byte.
    if (answer.status > 204 || end === undefined || end === 0 || end >= blob.size) return false
    current.location = locationOf(answer, current.location)
    current.doubtful = false
    moveTo(end + 1)
    return true
  }

  // No later run could go on with the upload: a line that is cut over and over must not be the end of it.
  const patience = { ...session.patience, progress: () => upload?.offset ?? 0 }
  return withRetries(patience, attempt, session.gaveUp(what))
}

/** Whether the repository has a blob. */
export async function isThere(session: RegistrySession, digest: Digest, what: string): Promise<boolean> {
  const answer = await session.look({ path: `blobs/${digest}`, what })
  return answer.status === 200
}

/** The last byte that a registry says it has of an upload. */
function endOf(range: string | undefined): number | undefined {
  const end = /^(?:bytes=)?0-(\d+)$/.exec(range ?? '')?.[1]
  return end === undefined ? undefined : Number(end)
}

function locationOf(answer: Answer, otherwise?: string): string {
  const { location } = answer.headers
  if (location !== undefined && URL.canParse(location, answer.url)) return new URL(location, answer.url).href
  if (otherwise !== undefined) return otherwise
  throw new Failure('it does not say where an upload goes on', false)
}
