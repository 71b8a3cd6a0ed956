import { passwordAt, proxyPasswordAt, type Span, tokenAt, urlPasswordAt, wordAt } from './redact-forms.ts'
import { firstInner, type Indent, indentOf, innerEnd, isLineEnd, keyLinesBegin } from './redact-lines.ts'
import {
  anotherName,
  blockMark,
  callsHelper,
  curlUser,
  headers,
  inWords,
  iscsiPassword,
  mapKey,
  matchEnd,
  nameAndWord,
  oneWord,
  setsHeader,
  umbrellaDevice,
} from './redact-words.ts'
import { isSecretName, longestName } from './secret-name.ts'

/** What stands where a secret was. */
export const redacted = '[redacted]'

/** A text without its secrets, and how much was done for it: characters looked at, counting repeats. */
export interface Redaction {
  readonly text: string
  readonly work: number
}

/** How far apart a name and its value may stand. */
const longestGap = 4
/** How far a list's first item, an address's @ and the like are looked for. */
const farthest = 128

/** As `redactWithWork`, the text alone. */
export function redact(text: string): string {
  return redactWithWork(text).text
}

/**
 * Replaces values whose names say that they are secret (`name=value`, `name: value`, `--name value`, JSON, YAML with its
 * blocks and lists, Compose, environment and configuration alike), Authorization headers and cookies, passwords in URLs,
 * and blocks of private keys and licences. One pass from left to right; what is looked at ahead is bounded, or taken out:
 * the work grows with the length alone.
 */
export function redactWithWork(text: string): Redaction {
  return new Scanner(text).run()
}

/** A name as it stands in the text. */
interface Name {
  /** In lower case, without dashes before it. */
  readonly name: string
  readonly start: number
  /** Whether it is an option of a command. */
  readonly isFlag: boolean
  /** Whether it is written in capitals, as a variable of the environment. */
  readonly isVariable: boolean
  /** How far in the line begins, where the name is its first word. */
  readonly column: number | undefined
  /** The two words before it on the line. */
  readonly before: readonly string[]
}

class Scanner {
  readonly #text: string
  readonly #out: string[] = []
  /** Up to here the text has been taken over or replaced. */
  #taken = 0
  #at = 0
  #work = 0
  #lineBegin = 0
  #indent: Indent | undefined
  /** The line's first word, the last two, and whether it calls curl. */
  #firstWord: string | undefined
  #words: readonly string[] = []
  #isCurl = false
  /** The next "]", or the end where there is none. */
  #bracket = -1

  constructor(text: string) {
    this.#text = text
  }

  run(): Redaction {
    const text = this.#text
    while (this.#at < text.length) {
      const code = this.#look(this.#at)
      if (isWord(code)) this.#word()
      else if (code === 58 && text.startsWith('://', this.#at)) this.#url()
      else {
        this.#at++
        if (code === 10 || code === 13) this.#beginLine(this.#at)
      }
    }
    this.#out.push(text.slice(this.#taken))
    return { text: this.#out.join(''), work: this.#work + text.length }
  }

  #look(index: number): number {
    this.#work++
    return this.#text.charCodeAt(index)
  }

  #beginLine(begin: number): void {
    this.#lineBegin = begin
    this.#indent = undefined
    this.#firstWord = undefined
    this.#words = []
    this.#isCurl = false
  }

  /** Where the line's first word is, looked for once a line. */
  #indentation(): Indent {
    if (this.#indent === undefined) {
      this.#indent = indentOf(this.#text, this.#lineBegin)
      this.#work += this.#indent.end - this.#lineBegin
    }
    return this.#indent
  }

  /** A run of name characters, and the value that follows it, where one does. */
  #word(): void {
    const start = this.#at
    const text = this.#text
    while (this.#at < text.length && isWord(this.#look(this.#at))) this.#at++
    const name = text.slice(Math.max(start, this.#at - longestName), this.#at)
    this.#work += longestName
    const before = this.#words
    this.#words = [before.at(-1) ?? '', name]
    // A log's time stamp, a list's dash and a diff's sign are none.
    if (/^[-+]?[A-Za-z_]/.test(name)) this.#firstWord ??= name.replace(/^-(?!.?$|-)/, '')
    if (name === 'curl') this.#isCurl = true
    if (name.endsWith('-----BEGIN')) this.#block()
    else if (name.endsWith('-----END')) this.#orphan(start)
    else if (/^bearer$/i.test(name)) this.#bearer()
    else if (this.#isCurl && curlUser.has(name)) this.#hide(passwordAt(text, this.#spaces(this.#at)))
    else if (name === '-w' && callsHelper.has(this.#firstWord ?? ''))
      this.#hide(wordAt(text, this.#spaces(this.#at)))
    else if (/proxy$/i.test(name)) this.#hide(proxyPasswordAt(text, this.#at))
    else if (/dhcp-option(-force)?$/.test(name)) this.#wordBehind(iscsiPassword)
    else if (name === 'deviceid') this.#wordBehind(umbrellaDevice)
    else this.#named(name, start, before)
  }

  #named(text: string, start: number, before: readonly string[]): void {
    const isFlag = text.startsWith('--')
    const name = isFlag ? text.slice(2) : text
    if (!isSecretName(name)) return
    const { base, end } = this.#indentation()
    const isFirst = end === start || end === start + 1 || (end === start - 1 && isQuote(this.#text[end]))
    const column = isFirst ? end - base : undefined
    const isVariable = /^[A-Z0-9_]+$/.test(name)
    this.#value({ name: name.toLowerCase(), start, isFlag, isVariable, column, before })
  }

  #value(name: Name): void {
    const text = this.#text
    let index = this.#at
    // The closing quote of the name itself, in JSON also within a JSON string.
    while (text[index] === '\\' && index - this.#at < longestGap) index++
    const isQuoted = isQuote(text[index])
    if (isQuoted) index++
    const gap = this.#spaces(index)
    const sign = text[gap]
    this.#work += 3 * longestGap
    if (sign === '=' || sign === ':') {
      const begin = this.#spaces(gap + (text.startsWith('=>', gap) ? 2 : 1))
      this.#signed(name, begin, sign === ':', isQuoted)
    } else if (sign === '>' && text[name.start - 1] === '<') this.#element(gap + 1)
    else if (name.name === 'auth' && text.startsWith('\\ ', this.#at)) this.#hide(wordAt(text, this.#at + 2))
    else if (gap > this.#at) this.#unsigned(name, gap)
  }

  /** What follows a name and a sign. */
  #signed(name: Name, begin: number, isColon: boolean, isQuoted: boolean): void {
    const text = this.#text
    const column = isColon ? name.column : undefined
    if (isQuoted && isLineEnd(text, begin)) {
      const next = this.#overBlanks(begin)
      if (isQuote(text[next]) || text[next] === '[') return void this.#signed(name, next, isColon, isQuoted)
    }
    if (column !== undefined && isLineEnd(text, begin)) return void this.#innerLines(begin, column)
    const mark = column === undefined ? undefined : matchEnd(blockMark, text, begin)
    if (mark !== undefined) return void this.#replace(begin, Math.max(mark, innerEnd(text, mark, column!)))
    if (text[begin] === '[') return void this.#list(begin)
    const triple = [`"""`, `'''`].find((quotes) => text.startsWith(quotes, begin))
    if (triple) return void this.#replace(begin + 3, this.#indexOf(triple, begin + 3))
    const end = this.#valueEnd(begin, name, isColon, isQuoted)
    if (end > begin) this.#replace(begin, end)
    else this.#at = Math.max(this.#at, begin)
  }

  /** What follows a name without a sign: only where a configuration's or a command's words are so. */
  #unsigned(name: Name, begin: number): void {
    const [first = '', second = ''] = name.before
    if (name.name === 'auth' && second === 'stats') return void this.#hide(passwordAt(this.#text, begin))
    const isFirst = name.column !== undefined
    const follows =
      name.isFlag ||
      inWords.has(name.name) ||
      setsHeader.test(second) ||
      (name.name === 'password' && first === 'user' && !/^(and|or)$/.test(second)) ||
      (isFirst && /[_-]/.test(name.name)) ||
      (isFirst && nameAndWord.has(name.name) && matchEnd(oneWord, this.#text, begin) !== undefined)
    if (!follows) return
    const end = this.#valueEnd(begin, { name: name.name }, false, false)
    if (end > begin) this.#replace(begin, end)
  }

  /** XML's <password>VALUE</password>. */
  #element(begin: number): void {
    const end = this.#until(begin, '<')
    if (this.#text[end + 1] === '/') this.#replace(begin, end)
  }

  /** YAML's value on the lines below its name: a text or a list of texts; a map's values have names of their own. */
  #innerLines(from: number, column: number): void {
    const first = firstInner(this.#text, from, column)
    this.#work += first ? first.end - from : 0
    if (!first || this.#text[first.end] === '{' || matchEnd(mapKey, this.#text, first.end)) return
    this.#replace(first.end, innerEnd(this.#text, from, column))
  }

  /** A list in brackets, of texts; objects in it have names of their own. */
  #list(begin: number): void {
    const text = this.#text
    let inner = this.#overBlanks(begin + 1)
    if (text[inner] === '{' || text[inner] === ']') return
    if (this.#bracket < inner) this.#bracket = this.#indexOf(']', inner)
    const end = this.#bracket === text.length ? this.#until(inner, '\n') : this.#listEnd(inner)
    let last = end
    while (last > inner && /\s/.test(text[last - 1]!)) last--
    // The quotes of the first item and the last stay, so that it is still a list.
    while (text[inner] === '\\') inner++
    if (isQuote(text[inner]) && text[last - 1] === text[inner] && last - 1 > inner) {
      inner++
      last--
      while (text[last - 1] === '\\') last--
    }
    this.#replace(inner, last)
    this.#at = Math.max(this.#at, end)
  }

  #listEnd(inner: number): number {
    const text = this.#text
    let depth = 1
    let isItem = true
    for (let at = inner; at < text.length; at++) {
      const char = String.fromCharCode(this.#look(at))
      if (isItem && isQuote(char)) at = this.#quotedEnd(at + 1, char, this.#slashesBefore(at))
      if (char === '[') depth++
      if (char === ']' && --depth === 0) return at
      isItem = char === ',' || char === '[' || (isItem && /[\s\\]/.test(char))
    }
    return text.length
  }

  /** Where a value that begins at `begin` ends. A quoted one keeps its quotes; an object is not a value. */
  #valueEnd(
    begin: number,
    { name, column, isVariable }: Pick<Name, 'name'> & Partial<Name>,
    isColon: boolean,
    isQuoted: boolean,
  ): number {
    const text = this.#text
    let at = begin
    while (text[at] === '\\' && at - begin < longestGap) at++
    const quote = text[at]
    if (isQuote(quote)) {
      this.#copyTo(at + 1)
      return this.#quotedEnd(at + 1, quote!, at - begin)
    }
    if (quote === '{') return begin
    const isHeader = headers.has(name) || name.endsWith('authorization')
    const isWhole = isHeader || (isColon && !isQuoted)
    const isLine = column !== undefined && !isQuoted && (isWhole || isVariable === true)
    for (at = begin; at < text.length; at++) {
      const code = this.#look(at)
      if (code === 10 || code === 13) break
      if (code === 34 || code === 39) {
        // A header's parameter (username="x") or a word in quotes (login=u:"x y"); else the end of a text around it all.
        if (/[=:]\\{0,3}$/.test(text.slice(Math.max(begin, at - longestGap), at)))
          at = this.#quotedEnd(at + 1, text[at]!, this.#slashesBefore(at))
        else if (!isLine) break
      } else if (!isWhole && endsWord(code) && (!isLine || this.#endsVariable(at))) break
    }
    // A folded header goes on where the next line begins with a blank (RFC 9112, 5.2).
    while (isHeader && column !== undefined && /^\r?\n[ \t]+\S/.test(text.slice(at, at + farthest)))
      at = this.#until(text.indexOf('\n', at) + 1, '\n')
    return Math.min(at, text.length)
  }

  /** Whether the value of an environment's variable ends at this character: it may hold blanks and commas. */
  #endsVariable(at: number): boolean {
    const char = this.#text[at]
    this.#work += longestGap
    if (char === '&') return /^&[\w.-]{1,64}=/.test(this.#text.slice(at, at + 66))
    const behind = char === ' ' || char === '\t' ? at : at + 1
    return isLineEnd(this.#text, behind) || matchEnd(anotherName, this.#text, behind) !== undefined
  }

  /** The closing quote, with `depth` backslashes before it as before the opening one. */
  #quotedEnd(begin: number, quote: string, depth: number): number {
    const text = this.#text
    let slashes = 0
    for (let at = begin; at < text.length; at++) {
      this.#work++
      const char = text[at]
      if (char === '\\') slashes++
      else {
        if (char === quote && (depth === 0 ? slashes % 2 === 0 : slashes <= depth))
          return at - (depth === 0 ? 0 : slashes)
        slashes = 0
      }
    }
    return text.length
  }

  #slashesBefore(index: number): number {
    let count = 0
    while (count < longestGap && this.#text[index - 1 - count] === '\\') count++
    return count
  }

  #spaces(index: number): number {
    let at = index
    while (at - index < longestGap && (this.#text[at] === ' ' || this.#text[at] === '\t')) at++
    return at
  }

  #overBlanks(index: number): number {
    let at = index
    while (at - index < farthest && /\s/.test(this.#text[at] ?? '')) at++
    this.#work += at - index
    return at
  }

  /** The next place of a text, or the end. */
  #indexOf(what: string, from: number): number {
    const found = this.#text.indexOf(what, from)
    const end = found < 0 ? this.#text.length : found
    this.#work += end - from
    return end
  }

  /** The next place of a character on this line, or the line's end. */
  #until(from: number, what: string): number {
    let at = from
    while (!isLineEnd(this.#text, at) && this.#text[at] !== what) at++
    this.#work += at - from
    return at
  }

  #wordBehind(pattern: RegExp): void {
    const begin = matchEnd(pattern, this.#text, this.#at)
    this.#work += longestName
    if (begin !== undefined) this.#hide(wordAt(this.#text, begin))
  }

  /** After "-----BEGIN": a private key or a licence goes up to its END, or with all that follows where there is none. */
  #block(): void {
    const label = this.#text.slice(this.#at, this.#at + longestName)
    this.#work += longestName
    if (!/^ [A-Za-z0-9 ]*(PRIVATE KEY|LICEN[CS]E|Static key)/.test(label)) return
    this.#replace(this.#at + label.indexOf('-----') + 5, this.#indexOf('-----END', this.#at))
  }

  /** "-----END" of a private key whose beginning was cut off: its lines stand before it. */
  #orphan(start: number): void {
    const label = this.#text.slice(this.#at, this.#at + longestName)
    this.#work += longestName
    if (!/^ [A-Z0-9 ]*PRIVATE KEY/.test(label)) return
    const { end } = this.#indentation()
    if (end !== start && end !== start + 1) return
    const begin = keyLinesBegin(this.#text, this.#lineBegin, this.#taken)
    this.#work += this.#lineBegin - begin
    const at = this.#at
    if (begin < this.#lineBegin) this.#replace(begin, this.#lineBegin - 1)
    this.#at = at
  }

  /** A token behind "Bearer", wherever it stands. */
  #bearer(): void {
    const begin = this.#spaces(this.#at)
    if (begin > this.#at) this.#hide(tokenAt(this.#text, begin))
  }

  /** "scheme://user:password@host". The host may be a name that says secret ("token:8080"): it is passed over. */
  #url(): void {
    const { secret, end } = urlPasswordAt(this.#text, this.#at + 3)
    this.#hide(secret)
    this.#at = Math.max(this.#at, end)
  }

  #hide(span: Span | undefined): void {
    if (span) this.#replace(span.begin, span.end)
  }

  #copyTo(index: number): void {
    this.#out.push(this.#text.slice(this.#taken, index))
    this.#taken = index
    this.#at = index
  }

  #replace(begin: number, end: number): void {
    const from = Math.max(begin, this.#taken)
    if (end <= from) return
    this.#work += end - from
    this.#copyTo(from)
    this.#out.push(redacted)
    this.#taken = end
    this.#at = end
    const newline = this.#text.slice(from, end).lastIndexOf('\n')
    if (newline >= 0) this.#beginLine(from + newline + 1)
  }
}

function isQuote(char: string | undefined): boolean {
  return char === '"' || char === "'"
}

/** A blank, `&`, `;`, `,` or `}`. */
function endsWord(code: number): boolean {
  return code === 32 || code === 9 || code === 38 || code === 59 || code === 44 || code === 125
}

/** Letters, digits, `_`, `-`, `.` and whatever is not ASCII. */
function isWord(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45 ||
    code === 46 ||
    code > 127
  )
}
