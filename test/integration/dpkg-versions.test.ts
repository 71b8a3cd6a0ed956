import { execa } from 'execa'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareVersions } from '../../src/debian/version.ts'

const piece = fc.constantFrom('0', '1', '9', '10', '007', 'a', 'rc', 'dfsg', '~', '+', '.', 'B')
const upstream = fc.array(piece, { maxLength: 6 }).map((pieces) => `1${pieces.join('')}`)
const version = fc
  .tuple(
    fc.constantFrom('', '', '0:', '1:'),
    upstream,
    fc.constantFrom('', '', '-0', '-1', '-1+b2', '-1~bpo13+1', '-2.1'),
  )
  .map((parts) => parts.join(''))

/** A version and one near to it, so that not every pair is decided by its first letter. */
const pair = fc.oneof(
  fc.tuple(version, version),
  fc.tuple(version, piece).map(([one, tail]): [string, string] => [one, one + tail]),
)

it('dpkg orders versions as compareVersions does', async () => {
  const pairs = fc.sample(pair, { numRuns: 400, seed: 20261120 })
  const judged = await execa(
    'sh',
    [
      '-c',
      'while read -r a b; do for o in lt eq gt; do dpkg --compare-versions "$a" $o "$b" && echo "$a $b $o"; done; done',
    ],
    {
      input: pairs.map((one) => `${one.join(' ')}\n`).join(''),
      reject: false,
    },
  )
  const ours = pairs.map(([a, b]) => `${a} ${b} ${['lt', 'eq', 'gt'][Math.sign(compareVersions(a, b)) + 1]}`)
  expect(ours).toEqual(judged.stdout.split('\n'))
})
