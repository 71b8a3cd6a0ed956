import { limits } from './format.ts'
import { block, isHeaderWhole, octalField, paddingOf, textField } from './tar-block.ts'

const wanted = 'var/lib/dpkg/status'

/**
 * Looks for a package database in a tar that comes in chunks, and remembers nothing else of it. Every header on the way
 * is looked at: what is no tar would stop an Engine halfway.
 */
export class StatusFinder {
  status: Uint8Array | undefined
  #isTar = true
  #ended = false
  readonly #header = Buffer.alloc(block)
  #filled = 0
  /** Bytes of the current entry still to come, with and without its padding. */
  #rest = 0
  #content = 0
  #found: { bytes: Buffer; length: number } | undefined

  /** Whether all so far may be a tar. */
  get isTar(): boolean {
    return this.#isTar
  }

  /** Whether all so far is a tar with its end. */
  get isWhole(): boolean {
    return this.#isTar && this.#ended && this.#filled === 0
  }

  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) at += this.#rest > 0 ? this.#skip(chunk, at) : this.#fill(chunk, at)
  }

  /** Links, devices and directories have no content: readers differ in whether they pass over what one says it has. */
  #mayHold(size: number): boolean {
    const type = this.#header[156]!
    return size === 0 || type < 0x31 || type > 0x36
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
    if (this.#header.every((byte) => byte === 0)) {
      this.#ended = true
      return length
    }
    const size = octalField(this.#header, 124, 12)
    if (this.#ended || size === undefined || !isHeaderWhole(this.#header) || !this.#mayHold(size)) {
      this.#isTar = false
      return length
    }
    const path = textField(this.#header, 0, 100).replace(/^\.\//, '')
    this.#content = size
    this.#rest = size + paddingOf(size)
    const isFile = this.#header[156] === 0x30 || this.#header[156] === 0
    if (path === wanted && isFile && size > 0 && size <= limits.status)
      this.#found = { bytes: Buffer.alloc(size), length: 0 }
    return length
  }
}
