import { describe, expect, it } from 'vitest'
import { splitOutput } from '../../../src/engine/output.ts'
import { chainIds, sharedLayers } from '../../../src/image/chain-id.ts'
import { digestOf } from '../../../src/lib/digest.ts'

const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(text)) as [string, string, string]

describe('chainIds', () => {
  it('names each layer together with all below it', () => {
    expect(chainIds([a, b, c])).toEqual([a, digestOf(`${a} ${b}`), digestOf(`${digestOf(`${a} ${b}`)} ${c}`)])
  })
})

describe('sharedLayers', () => {
  it('counts the lowest layers that some image has in the same stack', () => {
    expect(
      sharedLayers(
        [a, b, c],
        [
          [a, c],
          [a, b],
        ],
      ),
    ).toBe(2)
    expect(sharedLayers([a, b, c], [[a, b, c, a]])).toBe(3)
  })

  it('does not count a layer that lies on others there', () => {
    expect(sharedLayers([b, a], [[a, b]])).toBe(0)
    expect(sharedLayers([a, b], [[b], []])).toBe(0)
  })
})

describe('splitOutput', () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }

  it('takes both streams apart and keeps their order', () => {
    const bytes = Buffer.concat([frame(1, 'one\n'), frame(2, 'two\n'), frame(1, 'three\n')])
    expect(splitOutput(bytes)).toEqual({
      stdout: 'one\nthree\n',
      stderr: 'two\n',
      merged: 'one\ntwo\nthree\n',
    })
  })

  it('takes output without frames as it is', () => {
    expect(splitOutput(Buffer.from('plain text\n')).stdout).toBe('plain text\n')
  })
})
