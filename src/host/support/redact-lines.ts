/** Where the words of a line begin, and how far in: a log's time stamp before them does not count. */
export interface Indent {
  /** First character behind a time stamp. */
  readonly base: number
  /** First character of the first word. A list's dashes and a diff's sign count as indentation. */
  readonly end: number
}

const timeStamp = /\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d) /y

/** The indentation of the line that begins at `begin`. */
export function indentOf(text: string, begin: number): Indent {
  timeStamp.lastIndex = begin
  const base = timeStamp.test(text) ? timeStamp.lastIndex : begin
  let end = text[base] === '+' || text[base] === '-' ? base + 1 : base
  for (; end < text.length; end++) {
    const char = text[end]
    const isMark = (char === '-' || char === '?') && text[end + 1] === ' '
    if (char !== ' ' && char !== '\t' && !isMark) break
  }
  return { base, end }
}

/** Whether nothing of a line is left at `index`. */
export function isLineEnd(text: string, index: number): boolean {
  const char = text[index]
  return char === undefined || char === '\n' || char === '\r'
}

/**
 * The first line with words in it behind the line that ends at `from`, where it is further in than `column`; undefined
 * where it is not.
 */
export function firstInner(text: string, from: number, column: number): Indent | undefined {
  for (let newline = text.indexOf('\n', from); newline >= 0; newline = text.indexOf('\n', newline + 1)) {
    const indent = indentOf(text, newline + 1)
    if (isLineEnd(text, indent.end)) continue
    return indent.end - indent.base > column ? indent : undefined
  }
  return undefined
}

/** Where the lines further in than `column` end, that follow the line that ends at `from`. */
export function innerEnd(text: string, from: number, column: number): number {
  let end = from
  for (let newline = text.indexOf('\n', from); newline >= 0; newline = text.indexOf('\n', newline + 1)) {
    const indent = indentOf(text, newline + 1)
    if (isLineEnd(text, indent.end)) continue
    if (indent.end - indent.base <= column) break
    const next = text.indexOf('\n', indent.end)
    end = next < 0 ? text.length : next
    if (text[end - 1] === '\r') end--
  }
  return end
}

const longestKeyLine = 200
const keyLine = /^[ \t+-]*[A-Za-z0-9+/=]{40,100}[ \t]*\r?$/
/** A key's last line may be short; a word of a log is all in small letters. */
const lastKeyLine = /^[ \t+-]*(?=[^\n]*[A-Z0-9+=])[A-Za-z0-9+/=]{4,100}[ \t]*\r?$/

/**
 * Where the lines of a key begin, whose END stands on the line at `lineBegin` and whose BEGIN was cut off; `lineBegin`
 * itself where there are none.
 */
export function keyLinesBegin(text: string, lineBegin: number, notBefore: number): number {
  let begin = lineBegin
  while (begin > notBefore) {
    let before = begin - 1
    while (before > notBefore && begin - before < longestKeyLine && text[before - 1] !== '\n') before--
    const line = text.slice(indentOf(text, before).base, begin - 1)
    if (!(begin === lineBegin ? lastKeyLine : keyLine).test(line)) return begin
    begin = before
  }
  return begin
}
