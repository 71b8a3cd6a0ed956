import type { OutputChunk } from './containers-port.ts'

/** In frames of this stream an Engine says why it cannot read a log on. */
const ofEngine = 3

/**
 * Takes the Engine's multiplexed output apart: frames of an 8-byte header (stream number, three zero bytes, length
 * big-endian) and that many bytes. Output of a terminal has no frames and is all `stdout`.
 */
export function splitOutput(bytes: Uint8Array): { stdout: string; stderr: string; merged: string } {
  const out: Uint8Array[] = []
  const err: Uint8Array[] = []
  const merged: Uint8Array[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at + 8 <= bytes.length && bytes[at]! <= ofEngine && bytes[at + 1] === 0) {
    const end = Math.min(bytes.length, at + 8 + view.getUint32(at + 4))
    const frame = bytes.subarray(at + 8, end)
    ;(bytes[at]! >= 2 ? err : out).push(frame)
    merged.push(frame)
    at = end
  }
  if (at === 0 && bytes.length > 0) {
    out.push(bytes)
    merged.push(bytes)
  }
  return { stdout: text(out), stderr: text(err), merged: text(merged) }
}

function text(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('utf8')
}

/** As `splitOutput`, of a stream: frame by frame, wherever its chunks are cut. */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<OutputChunk> {
  let rest: Buffer = Buffer.alloc(0)
  let framed: boolean | undefined
  for await (const chunk of source) {
    rest = Buffer.concat([rest, chunk])
    if (rest.length >= 8) framed ??= rest[0]! <= ofEngine && rest.readUIntBE(1, 3) === 0
    while (framed && rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(4)) {
      const end = 8 + rest.readUInt32BE(4)
      yield { stream: rest[0]! >= 2 ? 'stderr' : 'stdout', data: rest.subarray(8, end) }
      rest = rest.subarray(end)
    }
    if (framed === false) {
      yield { stream: 'stdout', data: rest }
      rest = Buffer.alloc(0)
    }
  }
  if (rest.length > 0) yield { stream: 'stdout', data: framed ? rest.subarray(8) : rest }
}
