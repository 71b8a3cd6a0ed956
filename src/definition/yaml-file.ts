import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import type * as Yaml from 'yaml'
import type { Document, Node, Pair, YAMLError } from 'yaml'
import { errorCode } from '../lib/errors.ts'
import { parsedAhead } from './parsed-ahead.ts'
import { type Problem, showPath, type ValuePath } from './problem.ts'
import { type Root, shownFile } from './roots.ts'

/** Where something is said. */
export interface Place {
  /** Relative to the product directory, with forward slashes; a parent's files begin with where it is. */
  readonly file: string
  /** 1-based. */
  readonly line: number
}

/** A YAML file of a product directory: its value, and where each part of it stands. */
export interface YamlFile {
  /** As in `Place`. */
  readonly file: string
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** Where a value stands, or the nearest thing around it. */
  readonly placeOf: (path: ValuePath) => Place
}

/** Reads and parses `file` (relative to the root). What cannot be read or parsed is told in `problems`. */
export async function readYamlFile(root: Root, file: string): Promise<YamlFile> {
  const shown = shownFile(root, file)
  try {
    const bytes = await readFile(path.join(root.directory, ...file.split('/')))
    const fault = encodingFault(bytes)
    return fault ? unparsed(shown, fault) : parseYaml(bytes.toString('utf8'), shown)
  } catch (error) {
    return unreadable(shown, error)
  }
}

/** Parses YAML 1.2 text; merge keys (`<<`) are understood because Compose files use them. */
export function parseYaml(text: string, file: string): YamlFile {
  const { value, faults, lineOf } = parsedTexts.get(text) ?? knownAhead(text) ?? parse(text)
  return {
    file,
    value: structuredClone(value),
    problems: faults.map((fault) => ({ file, path: '', ...fault })),
    placeOf: (where) => ({ file, line: lineOf(where) }),
  }
}

type Fault = Pick<Problem, 'line' | 'text'>

interface Parsed {
  readonly value: unknown
  readonly faults: readonly Fault[]
  readonly lineOf: (where: ValuePath) => number
}

/** One command asks for the same file a dozen times, and parsing is most of what reading a definition takes. */
const parsedTexts = new Map<string, Parsed>()

/** Where a value stands is seldom asked: only then such a text is parsed. */
function knownAhead(text: string): Parsed | undefined {
  const ahead = parsedAhead(text)
  return ahead && { value: ahead.value, faults: [], lineOf: (where) => parse(text).lineOf(where) }
}

/** Loaded when there is a text to parse: seventy modules. */
function loadYaml(): typeof Yaml {
  return createRequire(import.meta.url)('yaml')
}

function parse(text: string): Parsed {
  const { LineCounter, parseDocument } = loadYaml()
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false })
  const lineAt = (offset: number): number => lines.linePos(offset).line
  // After the first mistake of form, what the parser says is mostly its consequence.
  const errors = [...document.errors, ...document.warnings]
  const first = errors.find((error) => error.code !== 'DUPLICATE_KEY')
  const told = errors.filter((error) => error.code === 'DUPLICATE_KEY' || error === first)
  const conflict = told.length > 0 ? /^<{7} /m.exec(text) : null
  const faults: Fault[] = conflict
    ? [{ line: lineAt(conflict.index), text: unsettled }]
    : told.map((error) => ({ line: lineAt(error.pos[0]), text: explainYamlError(error, text) }))
  let value: unknown
  if (faults.length === 0) {
    try {
      keepNumbersAsWritten(document)
      value = document.toJS()
      // Throws at an alias inside its own anchor: nothing further on is made for a value that holds itself.
      JSON.stringify(value)
    } catch {
      value = undefined
      faults.push({
        line: 1,
        text: 'the aliases (*name) of this file refer to themselves, or grow without end; write out what they stand for',
      })
    }
  }
  const parsed = { value, faults, lineOf: (where: ValuePath) => lineAt(offsetOf(document, where)) }
  parsedTexts.set(text, parsed)
  return parsed
}

/**
 * A number that would be shown otherwise than it is written (00123, 1.10, an id of 20 digits) is text. Where a whole number
 * is wanted it is refused: YAML 1.1, which other programs read, takes 0100 for 64.
 */
function keepNumbersAsWritten(document: Document): void {
  loadYaml().visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'number' && node.source !== undefined && String(node.value) !== node.source)
        node.value = node.source
    },
  })
}

const unsettled = 'a merge conflict begins here (<<<<<<<); settle it'

function unreadable(file: string, error: unknown): YamlFile {
  const reason =
    errorCode(error) === 'ENOENT'
      ? 'there is no such file'
      : `it cannot be read (${errorCode(error) ?? String(error)})`
  return unparsed(file, { text: reason })
}

function unparsed(file: string, fault: Fault): YamlFile {
  return {
    file,
    value: undefined,
    problems: [{ file, path: '', ...fault }],
    placeOf: () => ({ file, line: 1 }),
  }
}

/** Why bytes are no text that everybody reads alike: a parser would take them for other names, or for one odd word. */
function encodingFault(bytes: Buffer): { line: number; text: string } | undefined {
  const begin = bytes.toString('hex', 0, 2)
  if (begin === 'fffe' || begin === 'feff') return { line: 1, text: 'this is UTF-16; save it as UTF-8' }
  const zero = bytes.indexOf(0)
  if (zero >= 0)
    return { line: lineOf(bytes, zero), text: 'a byte of zero stands here; this is no text file' }
  if (isUtf8(bytes)) return undefined
  // What was written as UTF-8 comes back as it was; the first byte that does not is the culprit.
  const again = Buffer.from(bytes.toString('utf8'))
  const first = bytes.findIndex((byte, index) => byte !== again[index])
  return { line: lineOf(bytes, first), text: 'a letter here is not UTF-8; save the file as UTF-8' }
}

function lineOf(bytes: Buffer, offset: number): number {
  return bytes.toString('latin1', 0, offset).split('\n').length
}

function explainYamlError(error: YAMLError, text: string): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[^\s:]+/.exec(text.slice(error.pos[0]))?.[0] ?? ''
    return `the key ${key} stands twice in the same place; keep one of them`
  }
  if (error.code === 'MULTIPLE_DOCS') return 'a second document begins here (---); keep one in a file'
  if (error.code === 'TAB_AS_INDENT') return 'a tab is used for indentation; YAML allows spaces only'
  return `this is not YAML: ${sentence(error.message)}`
}

function sentence(message: string): string {
  const text = message.trim().replace(/[.:]$/, '')
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function offsetOf(document: Document, where: ValuePath): number {
  const { isAlias, isMap, isPair, isSeq } = loadYaml()
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const part of where) {
    if (isAlias(node)) node = node.resolve(document)
    const next = isMap(node) ? pairOf(node.items, part) : isSeq(node) ? node.items[Number(part)] : undefined
    if (next === undefined) break
    offset = (isPair(next) ? startOf(next.key) : startOf(next)) ?? offset
    node = isPair(next) ? next.value : next
  }
  return offset
}

function pairOf(items: readonly Pair[], key: string | number): Pair | undefined {
  const { isScalar } = loadYaml()
  return items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0]
}

/** What is wrong with a value of a file, at its line; `text` goes on after the value's path. */
export function problemAt(yaml: YamlFile, at: ValuePath, text: string): Problem {
  return { ...yaml.placeOf(at), path: showPath(at), text: `${showPath(at)} ${text}` }
}
