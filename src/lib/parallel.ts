/**
 * Runs `work` for every item, at most `limit` at a time, and returns the results in the items' order. The first error
 * aborts the signal that the others are given, lets none start after it, and is thrown when all have ended.
 */
export async function mapParallel<T, R>(
  items: readonly T[],
  options: { readonly limit: number; readonly signal?: AbortSignal | undefined },
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const results = new Array<R>(items.length)
  let failure: { error: unknown } | undefined
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length && !failure) {
      const index = next++
      try {
        results[index] = await work(items[index]!, signal)
      } catch (error) {
        failure ??= { error }
        stop.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.limit, items.length) }, worker))
  if (failure) throw failure.error
  return results
}
