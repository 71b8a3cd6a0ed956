/** Cuts a stream into pieces of exactly `size` bytes, the last one shorter; holds one piece at a time. */
export async function* cutParts(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let pending: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, size - length)
      pending.push(taken)
      length += taken.length
      rest = rest.subarray(taken.length)
      if (length < size) continue
      yield Buffer.concat(pending, length)
      pending = []
      length = 0
    }
  }
  if (length > 0) yield Buffer.concat(pending, length)
}
