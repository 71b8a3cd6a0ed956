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
  while (at + 8 <= bytes.length && bytes[at]! <= 2 && bytes[at + 1] === 0) {
    const end = Math.min(bytes.length, at + 8 + view.getUint32(at + 4))
    const frame = bytes.subarray(at + 8, end)
    ;(bytes[at] === 2 ? err : out).push(frame)
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
