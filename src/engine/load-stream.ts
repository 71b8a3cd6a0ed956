import { translateAnswer } from './errors.ts'

interface StreamLine {
  readonly stream?: string
  readonly status?: string
  readonly error?: string
  readonly errorDetail?: { readonly message?: string }
}

/**
 * Reads the JSON lines that the Engine answers a load or pull with; returns its texts. An `error` line, which comes
 * with HTTP status 200, is thrown, and so is a text that says what an `error` should.
 */
export async function readEngineStream(
  stream: AsyncIterable<Uint8Array | string>,
  onLine: (line: string) => void = () => {},
): Promise<string[]> {
  const lines: string[] = []
  const take = (text: string): void => {
    if (text.trim() === '') return
    const line = parse(text)
    if (line.error !== undefined) throw translateAnswer(line.errorDetail?.message ?? line.error)
    const said = (line.stream ?? line.status ?? '').trim()
    if (said === '') return
    // Engine 28 with containerd's image store keeps an image that lacks layers, and goes on.
    if (/^Error unpacking image /.test(said)) throw translateAnswer(said)
    lines.push(said)
    onLine(said)
  }
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const parts = rest.split('\n')
    rest = parts.pop()!
    for (const part of parts) take(part)
  }
  take(rest)
  return lines
}

/** Engines before 23 answer a quiet load in plain text. */
function parse(text: string): StreamLine {
  try {
    return JSON.parse(text) as StreamLine
  } catch {
    return { stream: text }
  }
}
