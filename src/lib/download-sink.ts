import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { errorCode } from './errors.ts'

/** Where the bytes of a download go: a file, and a hash that runs along. */
export class DownloadSink {
  received = 0
  /** Whether some of the bytes came with an earlier request. */
  resumed = false
  #hash: Hash = createHash('sha256')
  readonly #handle: FileHandle
  readonly #onBytes: (by: number) => void

  private constructor(handle: FileHandle, onBytes: (by: number) => void) {
    this.#handle = handle
    this.#onBytes = onBytes
  }

  /** Opens a file, taking over what it holds already. */
  static async open(name: string, onBytes: (by: number) => void = () => {}): Promise<DownloadSink> {
    const handle = await openOrCreate(name)
    const sink = new DownloadSink(handle, onBytes)
    if ((await handle.stat()).size > 0) await sink.#takeOver()
    return sink
  }

  async write(chunk: Buffer): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      const position = this.received + done
      done += (await this.#handle.write(chunk, done, chunk.length - done, position)).bytesWritten
    }
    this.#count(chunk)
  }

  /** Throws away what is there. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0)
    this.#onBytes(-this.received)
    this.received = 0
    this.resumed = false
    this.#hash = createHash('sha256')
  }

  /** Hex SHA-256 of what is there. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  async #takeOver(): Promise<void> {
    for await (const chunk of this.#handle.createReadStream({ start: 0, autoClose: false }))
      this.#count(chunk)
    this.resumed = true
  }

  #count(chunk: Buffer): void {
    this.#hash.update(chunk)
    this.received += chunk.length
    this.#onBytes(chunk.length)
  }
}

// Not 'a+': Windows refuses to truncate a file that was opened for appending.
async function openOrCreate(name: string): Promise<FileHandle> {
  try {
    return await open(name, 'r+')
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    return await open(name, 'wx+')
  }
}
