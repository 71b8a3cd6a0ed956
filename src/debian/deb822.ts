import { SlipwayError } from '../lib/errors.ts'

/** One field. Continuation lines stay as written, with their leading blank, so that `name: value` writes it back. */
export interface Field {
  readonly name: string
  readonly value: string
}

/** A paragraph of a control file (Debian Policy 5.1, deb822(5)). */
export interface Stanza {
  /** 1-based line of its first field. */
  readonly line: number
  /** In the order of the file. */
  readonly fields: readonly Field[]
}

/**
 * Reads the stanzas of a control file; `label` names it in errors. Lines may end in LF or CRLF; lines that begin with
 * `#` are comments. A line that is neither a field nor a continuation, or a field given twice, is an error with its
 * line number.
 */
export function parseStanzas(text: string, label: string): Stanza[] {
  const stanzas: Stanza[] = []
  let fields: { name: string; value: string }[] = []
  let seen = new Set<string>()
  let start = 0
  const finish = (): void => {
    if (fields.length > 0) stanzas.push({ line: start, fields })
    fields = []
    seen = new Set()
  }
  const fail = (line: number, why: string): never => {
    throw new SlipwayError('bad-control-file', `${label}, line ${line}: ${why}.`)
  }

  let number = 0
  for (const raw of text.split('\n')) {
    number++
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (line.startsWith('#')) continue
    if (line.trim() === '') {
      finish()
      continue
    }
    if (line.startsWith(' ') || line.startsWith('\t')) {
      const last = fields.at(-1) ?? fail(number, 'a continuation line before any field')
      last.value += `\n${line.trimEnd()}`
      continue
    }
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon))
    if (!/^[!-,.-9;-~][!-9;-~]*$/.test(name)) fail(number, `"${line.slice(0, 40)}" is no "Field: value"`)
    if (seen.has(name.toLowerCase())) fail(number, `the field ${name} is given twice`)
    seen.add(name.toLowerCase())
    if (fields.length === 0) start = number
    fields.push({ name, value: line.slice(colon + 1).trim() })
  }
  finish()
  return stanzas
}

/** The value of a field, whatever the case of its name; undefined where the stanza has none. */
export function fieldOf(stanza: Stanza, name: string): string | undefined {
  const wanted = name.toLowerCase()
  return stanza.fields.find((field) => field.name.toLowerCase() === wanted)?.value
}

/** Writes a stanza as `parseStanzas` reads it, with a trailing newline. */
export function formatStanza(fields: readonly Field[]): string {
  return fields
    .map(({ name, value }) => `${name}:${value === '' || value.startsWith('\n') ? '' : ' '}${value}\n`)
    .join('')
}
