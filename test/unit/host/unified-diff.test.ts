import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editsBetween } from '../../../src/host/line-edits.ts'
import { unifiedDiff } from '../../../src/host/unified-diff.ts'

const diff = (before: string, after: string): string[] => unifiedDiff(before, after, 'image', 'here')
const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 })

describe('a unified diff', () => {
  it('of equal texts is empty', () => {
    expect(diff('a\nb\n', 'a\nb\n')).toEqual([])
  })

  it('shows a changed line with three lines around it', () => {
    expect(diff('1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n2\n3\n4\nfive\n6\n7\n8\n9\n')).toEqual([
      '--- image',
      '+++ here',
      '@@ -2,7 +2,7 @@',
      ' 2',
      ' 3',
      ' 4',
      '-5',
      '+five',
      ' 6',
      ' 7',
      ' 8',
    ])
  })

  it('joins changes that are near and parts those that are not', () => {
    const old = Array.from({ length: 20 }, (_, index) => String(index))
    const now = old.map((line) => (['2', '7', '18'].includes(line) ? `new ${line}` : line))
    const hunks = diff(`${old.join('\n')}\n`, `${now.join('\n')}\n`).filter((line) => line.startsWith('@@'))
    expect(hunks).toEqual(['@@ -1,11 +1,11 @@', '@@ -16,5 +16,5 @@'])
  })

  it('counts an empty side from the line before it', () => {
    expect(diff('', 'a\n')).toEqual(['--- image', '+++ here', '@@ -0,0 +1 @@', '+a'])
    expect(diff('a\nb\n', '')).toEqual(['--- image', '+++ here', '@@ -1,2 +0,0 @@', '-a', '-b'])
  })

  it('says where the last line end is missing', () => {
    expect(diff('a\n', 'a')).toEqual([
      '--- image',
      '+++ here',
      '@@ -1 +1 @@',
      '-a',
      '+a',
      '\\ No newline at end of file',
    ])
  })
})

describe('the edits between two lists of lines', () => {
  it('applied to the old list give the new one', () => {
    fc.assert(
      fc.property(lines, lines, (old, now) => {
        const made: string[] = []
        let at = 0
        for (const edit of editsBetween(old, now)) {
          made.push(...old.slice(at, edit.oldStart), ...now.slice(edit.newStart, edit.newEnd))
          at = edit.oldEnd
        }
        expect([...made, ...old.slice(at)]).toEqual(now)
      }),
      { numRuns: 500 },
    )
  })

  it('are the fewest: as many as a table of common subsequences says', () => {
    fc.assert(
      fc.property(lines, lines, (old, now) => {
        const changed = editsBetween(old, now).reduce(
          (sum, edit) => sum + edit.oldEnd - edit.oldStart + edit.newEnd - edit.newStart,
          0,
        )
        expect(changed).toBe(old.length + now.length - 2 * longestCommon(old, now))
      }),
      { numRuns: 300 },
    )
  })

  it('of long texts without a common line are one replacement, soon', () => {
    const old = Array.from({ length: 50_000 }, (_, index) => `old ${index}`)
    const now = Array.from({ length: 50_000 }, (_, index) => `new ${index}`)
    const began = Date.now()
    expect(editsBetween(old, now)).toEqual([{ oldStart: 0, oldEnd: 50_000, newStart: 0, newEnd: 50_000 }])
    expect(Date.now() - began).toBeLessThan(5000)
  })
})

function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const one of a) {
    const next = [0]
    for (const [index, other] of b.entries()) {
      next.push(one === other ? row[index]! + 1 : Math.max(next[index]!, row[index + 1]!))
    }
    row = next
  }
  return row.at(-1)!
}
