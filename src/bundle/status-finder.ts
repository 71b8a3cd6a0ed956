import { limits } from './format.ts'
import { block, paddingOf } from './tar-block.ts'

const wanted = 'var/lib/dpkg/status'

/** Looks for a package database in a tar that comes in chunks, and remembers nothing else of it. */
export class StatusFinder {
  status: Uint8Array | undefined
  readonly #header = Buffer.alloc(block)
  #filled = 0
  /** Bytes of the current entry still to come, with and without its padding. */
  #rest = 0
  #content = 0
  #found: { bytes: Buffer; length: number } | undefined

  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) at += this.#rest > 0 ? this.#skip(chunk, at) : this.#fill(chunk, at)
  }

  #skip(chunk: Uint8Array, at: number): number {
    const length = Math.min(this.#rest, chunk.length - at)
    const content = Math.min(this.#content, length)
    if (this.#found && content > 0) {
      this.#found.bytes.set(chunk.subarray(at, at + content), this.#found.length)
      this.#found.length += content
    }
    this.#content -= content
    this.#rest -= length
    if (this.#content === 0 && this.#found) {
      this.status = this.#found.bytes
      this.#found = undefined
    }
    return length
  }

  #fill(chunk: Uint8Array, at: number): number {
    const length = Math.min(block - this.#filled, chunk.length - at)
    this.#header.set(chunk.subarray(at, at + length), this.#filled)
    this.#filled += length
    if (this.#filled < block) return length
    this.#filled = 0
    const end = this.#header.indexOf(0)
    const path = this.#header.toString('latin1', 0, end < 0 || end > 100 ? 100 : end).replace(/^\.\//, '')
    const digits = this.#header.toString('latin1', 124, 136).replace(/[\0 ]+$/, '')
    const size = /^ *[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : 0
    this.#content = size
    this.#rest = size + paddingOf(size)
    const isFile = this.#header[156] === 0x30 || this.#header[156] === 0
    if (path === wanted && isFile && size > 0 && size <= limits.status)
      this.#found = { bytes: Buffer.alloc(size), length: 0 }
    return length
  }
}
