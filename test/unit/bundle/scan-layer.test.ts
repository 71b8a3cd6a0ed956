import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { LayerFault, scanLayer } from '../../../src/bundle/scan-layer.ts'
import { makeTar } from '../../support/tiny-tar.ts'

it.each([1, 1000, 4096])(
  'zeros behind a layer are found, also those that come late: in chunks of %d bytes',
  async (size) => {
    const tar = await makeTar([{ path: 'etc/motd', content: 'tiny 1.0.0\n' }])
    const bytes = Buffer.concat([gzipSync(tar), Buffer.alloc(4096)])
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    )
    for (const source of [Readable.from(chunks), Readable.from([bytes])])
      await expect(scanLayer(source, 1 << 20)).rejects.toThrow(
        new LayerFault('cannot be unpacked to its end'),
      )
  },
)
