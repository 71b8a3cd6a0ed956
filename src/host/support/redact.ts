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
/** What an Authorization header's value, or a cookie's, runs to. */
const toLineEnd = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'www-authenticate',
])

/** Names that a value follows without a sign, wherever in a line: HAProxy's "user NAME insecure-password VALUE". */
const inWords = new Set(['insecure-password'])

/** As `redactWithWork`, the text alone. */
export function redact(text: string): string {
  return redactWithWork(text).text
}

/**
 * Replaces values whose names say that they are secret (`name=value`, `name: value`, `--name value`, JSON, Compose and
 * environment alike), Authorization headers and cookies, passwords in URLs, and blocks of private keys and licences.
 * One pass from left to right with a bounded look back and no backtracking: the work grows with the length alone.
 */
export function redactWithWork(text: string): Redaction {
  return new Scanner(text).run()
}

class Scanner {
  readonly #text: string
  readonly #out: string[] = []
  /** Up to here the text has been taken over or replaced. */
  #taken = 0
  #at = 0
  #work = 0
  #lineStart = true

  constructor(text: string) {
    this.#text = text
  }

  run(): Redaction {
    const text = this.#text
    while (this.#at < text.length) {
      const code = this.#look(this.#at)
      if (isWord(code)) this.#word()
      else {
        if (code === 10 || code === 13) this.#lineStart = true
        // A diff's sign stands before what is the line's start in its file.
        else if (code !== 32 && code !== 9 && code !== 43) this.#lineStart = false
        if (code === 58 && text.startsWith('://', this.#at)) this.#url()
        else this.#at++
      }
    }
    this.#out.push(text.slice(this.#taken))
    return { text: this.#out.join(''), work: this.#work + text.length }
  }

  #look(index: number): number {
    this.#work++
    return this.#text.charCodeAt(index)
  }

  /** A run of name characters, and the value that follows it, where one does. */
  #word(): void {
    const start = this.#at
    const first = this.#lineStart
    this.#lineStart = false
    while (this.#at < this.#text.length && isWord(this.#look(this.#at))) this.#at++
    const name = this.#text.slice(Math.max(start, this.#at - longestName), this.#at)
    this.#work += longestName
    if (name.endsWith('-----BEGIN')) {
      this.#block()
      return
    }
    const flag = name.startsWith('--') ? name.slice(2) : name
    if (!isSecretName(flag)) return
    this.#value(flag.toLowerCase(), first, name.startsWith('--'))
  }

  #value(name: string, first: boolean, isFlag: boolean): void {
    const text = this.#text
    let index = this.#at
    // The closing quote of the name itself, in JSON also within a JSON string.
    while (text[index] === '\\' && index - this.#at < longestGap) index++
    if (text[index] === '"' || text[index] === "'") index++
    const gap = this.#spaces(index)
    const sign = text[gap]
    let begin: number
    if (sign === '=' || sign === ':') begin = this.#spaces(gap + (text.startsWith('=>', gap) ? 2 : 1))
    else if (gap > this.#at && (isFlag || inWords.has(name) || (first && /[_-]/.test(name)))) begin = gap
    else return
    const end = this.#valueEnd(begin, name, sign === ':')
    this.#work += end - begin + 3 * longestGap
    if (end <= begin) {
      this.#at = Math.max(this.#at, begin)
      return
    }
    this.#replace(begin, end)
  }

  /** Where a value that begins at `begin` ends. A quoted one keeps its quotes; an object or list is not a value. */
  #valueEnd(begin: number, name: string, isYaml: boolean): number {
    const text = this.#text
    let at = begin
    while (text[at] === '\\' && at - begin < longestGap) at++
    const quote = text[at]
    if (quote === '"' || quote === "'") {
      this.#copyTo(at + 1)
      return this.#quotedEnd(at + 1, quote, at - begin)
    }
    if (quote === '{' || quote === '[') return begin
    const whole = toLineEnd.has(name) || isYaml || name.endsWith('authorization')
    for (at = begin; at < text.length; at++) {
      const code = this.#look(at)
      if (code === 10 || code === 13 || code === 34 || code === 39) break
      if (!whole && (code === 32 || code === 9 || code === 38 || code === 59 || code === 44 || code === 125))
        break
    }
    return at
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

  #spaces(index: number): number {
    let at = index
    while (at - index < longestGap && (this.#text[at] === ' ' || this.#text[at] === '\t')) at++
    return at
  }

  /** "scheme://user:password@host": what stands between the first colon and the last @ of the authority. */
  #url(): void {
    const begin = this.#at + 3
    let colon = -1
    let at = -1
    let index = begin
    for (; index < this.#text.length; index++) {
      const code = this.#look(index)
      if (
        code <= 32 ||
        code === 47 ||
        code === 63 ||
        code === 35 ||
        code === 34 ||
        code === 39 ||
        code === 60 ||
        code === 62
      )
        break
      if (code === 58 && colon < 0) colon = index
      if (code === 64) at = index
    }
    if (at > colon && colon >= 0) this.#replace(colon + 1, at)
    else if (at > begin + 20) this.#replace(begin, at)
    // The host may be a name that says secret ("token:8080"): it is passed over.
    this.#at = Math.max(this.#at, index, begin)
    this.#lineStart = false
  }

  /** After "-----BEGIN": a private key or a licence goes up to its END, or with all that follows where there is none. */
  #block(): void {
    const label = this.#text.slice(this.#at, this.#at + longestName)
    this.#work += longestName
    if (!/^ [A-Z0-9 ]*(PRIVATE KEY|LICEN[CS]E)/.test(label)) return
    const end = this.#text.indexOf('-----END', this.#at)
    const until = end < 0 ? this.#text.length : end
    this.#work += until - this.#at
    this.#replace(this.#at + label.indexOf('-----') + 5, until)
  }

  #copyTo(index: number): void {
    this.#out.push(this.#text.slice(this.#taken, index))
    this.#taken = index
    this.#at = index
  }

  #replace(begin: number, end: number): void {
    const from = Math.max(begin, this.#taken)
    if (end <= from) return
    this.#copyTo(from)
    this.#out.push(redacted)
    this.#taken = end
    this.#at = end
  }
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
