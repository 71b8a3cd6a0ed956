import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { errorCode } from './errors.ts'

/** Lower-case hex SHA-256 of a file, read in pieces; undefined where there is no such file. */
export async function sha256OfFile(file: string, signal?: AbortSignal): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file, signal ? { signal } : {})) hash.update(chunk)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}
