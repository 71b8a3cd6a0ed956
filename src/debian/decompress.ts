import { gunzipSync } from 'node:zlib'
import { damaged } from './ar.ts'

export type Compression = 'none' | 'gz' | 'xz' | 'zst'

/** Compressions a .deb member may have (deb(5)), by the ending of its name. */
export function compressionOf(memberName: string): Compression {
  const ending = memberName.replace(/^(control|data)\.tar\.?/, '')
  if (ending === '') return 'none'
  if (ending === 'gz' || ending === 'xz' || ending === 'zst') return ending
  throw damaged(`its member ${memberName} is compressed in a way that is not read here (gz, xz and zst are)`)
}

/** A buffer that grows and is used again, so that unpacking a hundred packages does not allocate a hundred times. */
export class Scratch {
  #bytes = new Uint8Array(1 << 20)
  #length = 0

  clear(): void {
    this.#length = 0
  }

  append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(chunk, this.#length)
    this.#length = needed
  }

  /** A view that the next `clear` and `append` overwrite. */
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

/** Decompresses into `scratch` and returns the view of it; throws `damaged-deb` on a stream that is not whole. */
export async function decompress(
  data: Uint8Array,
  compression: Compression,
  scratch: Scratch,
): Promise<Uint8Array> {
  scratch.clear()
  try {
    switch (compression) {
      case 'none':
        return data
      case 'gz':
        scratch.append(gunzipSync(data))
        break
      case 'zst':
        scratch.append((await import('fzstd')).decompress(data))
        break
      case 'xz':
        await decompressXz(data, scratch)
    }
  } catch (error) {
    throw damaged(
      `its ${compression} data cannot be read (${error instanceof Error ? error.message : error})`,
    )
  }
  return scratch.view
}

async function decompressXz(data: Uint8Array, scratch: Scratch): Promise<void> {
  // The package is CommonJS: from ESM its exports are those of the default.
  const { XzReadableStream } = (await import('xz-decompress')).default
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(data)
      controller.close()
    },
  })
  for await (const chunk of new XzReadableStream(source)) scratch.append(chunk)
}
