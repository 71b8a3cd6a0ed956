import type { Call } from './call.ts'

/** A stream of the Engine whose errors come out as SlipwayErrors; leaving the loop closes it. */
export async function* guarded<T>(call: Call, source: AsyncIterable<T>): AsyncGenerator<T> {
  const items = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const item = await call(() => items.next())
      if (item.done) return
      yield item.value
    }
  } finally {
    await items.return?.()
  }
}
