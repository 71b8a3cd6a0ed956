import { type Edit, editsBetween } from './line-edits.ts'

const context = 3

/** Two texts as the lines of a unified diff (POSIX.1-2017 diff, "Unified Format"); none where they are equal. */
export function unifiedDiff(before: string, after: string, from: string, to: string): string[] {
  const old = splitLines(before)
  const now = splitLines(after)
  const hunks = group(editsBetween(old, now))
  if (hunks.length === 0) return []
  return [`--- ${from}`, `+++ ${to}`, ...hunks.flatMap((hunk) => formatHunk(hunk, old, now))]
}

/** Lines keep their ends, so that a missing last one is a difference. */
function splitLines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

/** Edits whose surroundings would touch are one hunk. */
function group(edits: readonly Edit[]): Edit[][] {
  const hunks: Edit[][] = []
  for (const edit of edits) {
    const last = hunks.at(-1)
    const before = last?.at(-1)
    if (before && edit.oldStart - before.oldEnd <= 2 * context) last!.push(edit)
    else hunks.push([edit])
  }
  return hunks
}

function formatHunk(edits: readonly Edit[], old: readonly string[], now: readonly string[]): string[] {
  const first = edits[0]!
  const last = edits.at(-1)!
  const lead = Math.min(context, first.oldStart)
  const tail = Math.min(context, old.length - last.oldEnd)
  const lines: string[] = []
  let at = first.oldStart - lead
  for (const edit of edits) {
    lines.push(...show(' ', old.slice(at, edit.oldStart)))
    lines.push(...show('-', old.slice(edit.oldStart, edit.oldEnd)))
    lines.push(...show('+', now.slice(edit.newStart, edit.newEnd)))
    at = edit.oldEnd
  }
  lines.push(...show(' ', old.slice(at, at + tail)))
  const oldRange = range(first.oldStart - lead, last.oldEnd + tail)
  const newRange = range(first.newStart - lead, last.newEnd + tail)
  return [`@@ -${oldRange} +${newRange} @@`, ...lines]
}

function show(sign: string, lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    line.endsWith('\n')
      ? [`${sign}${line.slice(0, -1)}`]
      : [`${sign}${line}`, '\\ No newline at end of file'],
  )
}

/** Counted from 1; an empty range names the line before it. */
function range(start: number, end: number): string {
  const length = end - start
  if (length === 1) return String(start + 1)
  return `${length === 0 ? start : start + 1},${length}`
}
