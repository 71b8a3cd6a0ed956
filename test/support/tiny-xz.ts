import { crc32 } from 'node:zlib'

/**
 * A valid .xz of `data`, stored in LZMA2's uncompressed chunks (The .xz File Format 1.2): there is no xz compressor in
 * JavaScript, and a test needs none.
 */
export function storeXz(data: Uint8Array): Buffer {
  const streamFlags = Buffer.from([0x00, 0x01])
  const blockHeader = withCrc(Buffer.from([0x02, 0x00, 0x21, 0x01, 0x10, 0, 0, 0]))
  const chunks: Buffer[] = []
  for (let offset = 0; offset < data.length; offset += 0x10000) {
    const part = data.subarray(offset, offset + 0x10000)
    const size = part.length - 1
    chunks.push(Buffer.from([offset === 0 ? 0x01 : 0x02, size >> 8, size & 0xff]), Buffer.from(part))
  }
  const compressed = Buffer.concat([...chunks, Buffer.from([0])])
  const check = uint32(crc32(data))
  const index = withCrc(
    padded(
      Buffer.from([
        0x00,
        0x01,
        ...multibyte(blockHeader.length + compressed.length + check.length),
        ...multibyte(data.length),
      ]),
    ),
  )
  const backward = Buffer.concat([uint32(index.length / 4 - 1), streamFlags])
  return Buffer.concat([
    Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
    withCrc(streamFlags),
    blockHeader,
    padded(compressed),
    check,
    index,
    uint32(crc32(backward)),
    backward,
    Buffer.from('YZ'),
  ])
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value >>> 0)
  return buffer
}

function withCrc(data: Buffer): Buffer {
  return Buffer.concat([data, uint32(crc32(data))])
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)])
}

function multibyte(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}
