/** Why a line of systemd's configuration cannot be read: the rest of a sentence after "it". */
export class UnreadableLine extends Error {}

/**
 * Splits a line of systemd's configuration at blanks, as systemd does (systemd.syntax(7)): quotes keep a word together,
 * and C escapes stand for what they do. With `most`, what follows that many words is the last item, as it stands.
 */
export function splitWords(line: string, most = Number.POSITIVE_INFINITY): string[] {
  const words: string[] = []
  let at = 0
  const passBlanks = (): void => {
    while (isBlank(line[at])) at++
  }
  for (passBlanks(); at < line.length; passBlanks()) {
    if (words.length === most) return [...words, line.slice(at)]
    const begin = at
    let quote = ''
    for (; at < line.length && (quote !== '' || !isBlank(line[at])); at++) {
      const char = line[at]!
      if (char === '\\') at++
      else if (char === quote) quote = ''
      else if (quote === '' && (char === '"' || char === "'")) quote = char
    }
    if (quote !== '') throw new UnreadableLine(`has no closing ${quote}`)
    words.push(unquote(line.slice(begin, at)))
  }
  return words
}

/** C escapes undone; throws `UnreadableLine` for one that means nothing. */
export function unescapeText(text: string): string {
  return text.replace(escapes, (whole, octal?: string, hex?: string, code?: string, plain = '') => {
    if (code) return String.fromCodePoint(Number.parseInt(code, 16))
    const byte = octal ? Number.parseInt(octal, 8) : hex ? Number.parseInt(hex, 16) : undefined
    if (byte !== undefined && byte > 0 && byte < 0x80) return String.fromCodePoint(byte)
    if (simple[plain] !== undefined) return simple[plain]
    throw new UnreadableLine(`has the escape "${whole}", which is no text`)
  })
}

const escapes = /\\(?:([0-3][0-7]{2})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.?))/g

const simple: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', s: ' ' },
  ...{ '\\': '\\', '"': '"', "'": "'" },
}

function unquote(word: string): string {
  const parts = word.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:[^"'\\]|\\.?)+/g) ?? []
  return parts.map((part) => unescapeText(/^["']/.test(part) ? part.slice(1, -1) : part)).join('')
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t'
}
