import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
import { type Digest, hexOf } from '../lib/digest.ts'

/** Lets a blob's bytes through and fails, at the latest at their end, with `bad` where they are not those of its digest. */
export function checkedBlob(blob: { digest: Digest; size: number }, bad: () => Error): Transform {
  const hash = createHash('sha256')
  let size = 0
  return new Transform({
    transform(chunk: Uint8Array, _, done) {
      hash.update(chunk)
      size += chunk.length
      done(size > blob.size ? bad() : null, chunk)
    },
    flush(done) {
      done(size === blob.size && hash.digest('hex') === hexOf(blob.digest) ? null : bad())
    },
  })
}
