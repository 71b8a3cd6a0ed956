/** Lines `oldStart` to `oldEnd` of the old text became `newStart` to `newEnd` of the new one; ends are exclusive. */
export interface Edit {
  readonly oldStart: number
  readonly oldEnd: number
  readonly newStart: number
  readonly newEnd: number
}

/**
 * More single-line edits than this are one replacement: what is not alike need not be compared to the end, and
 * memory and time stay bounded.
 */
const mostEdits = 1000

/**
 * The fewest edits that make one list of lines the other, in order (E. Myers, "An O(ND) Difference Algorithm and Its
 * Variations", 1986). Takes time in proportion to the length times the number of edits.
 */
export function editsBetween(old: readonly string[], now: readonly string[]): Edit[] {
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start++
  let oldEnd = old.length
  let newEnd = now.length
  while (oldEnd > start && newEnd > start && old[oldEnd - 1] === now[newEnd - 1]) {
    oldEnd--
    newEnd--
  }
  if (start === oldEnd && start === newEnd) return []
  const whole = { oldStart: start, oldEnd, newStart: start, newEnd }
  if (start === oldEnd || start === newEnd) return [whole]
  const trace = search(old.slice(start, oldEnd), now.slice(start, newEnd))
  if (!trace) return [whole]
  return walkBack(trace, oldEnd - start, newEnd - start).map((edit) => ({
    oldStart: edit.oldStart + start,
    oldEnd: edit.oldEnd + start,
    newStart: edit.newStart + start,
    newEnd: edit.newEnd + start,
  }))
}

/**
 * For each number of edits, how far it reaches in the old lines on each diagonal from -d to d; undefined where more
 * than `mostEdits` are needed.
 */
function search(old: readonly string[], now: readonly string[]): Int32Array[] | undefined {
  const trace: Int32Array[] = []
  const most = Math.min(mostEdits, old.length + now.length)
  let before = new Int32Array(1)
  for (let d = 0; d <= most; d++) {
    const reach = new Int32Array(2 * d + 1)
    for (let k = -d; k <= d; k += 2) {
      let x = d === 0 ? 0 : stepTo(before, d, k)
      while (x < old.length && x - k < now.length && old[x] === now[x - k]) x++
      reach[k + d] = x
      if (x >= old.length && x - k >= now.length) {
        trace.push(reach)
        return trace
      }
    }
    trace.push(reach)
    before = reach
  }
  return undefined
}

/** Whether diagonal `k` is reached with edit `d` by a line that comes, from above, rather than by one that goes. */
function comesFromAbove(before: Int32Array, d: number, k: number): boolean {
  if (k === -d) return true
  if (k === d) return false
  return before[k - 1 + d - 1]! < before[k + 1 + d - 1]!
}

function stepTo(before: Int32Array, d: number, k: number): number {
  return comesFromAbove(before, d, k) ? before[k + 1 + d - 1]! : before[k - 1 + d - 1]! + 1
}

function walkBack(trace: readonly Int32Array[], oldLength: number, newLength: number): Edit[] {
  const edits: Edit[] = []
  let x = oldLength
  let y = newLength
  for (let d = trace.length - 1; d > 0; d--) {
    const before = trace[d - 1]!
    const k = x - y
    const above = comesFromAbove(before, d, k)
    const previous = above ? k + 1 : k - 1
    const fromX = before[previous + d - 1]!
    const fromY = fromX - previous
    const edit = above
      ? { oldStart: fromX, oldEnd: fromX, newStart: fromY, newEnd: fromY + 1 }
      : { oldStart: fromX, oldEnd: fromX + 1, newStart: fromY, newEnd: fromY }
    const next = edits[0]
    // Edits side by side are one.
    if (next && next.oldStart === edit.oldEnd && next.newStart === edit.newEnd) {
      edits[0] = { ...next, oldStart: edit.oldStart, newStart: edit.newStart }
    } else edits.unshift(edit)
    x = fromX
    y = fromY
  }
  return edits
}
