import { expandSpecifiers } from './specifiers.ts'
import { splitWords, UnreadableLine, unescapeText } from './words.ts'

/** A line of tmpfiles.d(5), read; specifiers stand in it no more. */
export interface TmpfilesLine {
  /** One letter. */
  readonly type: string
  readonly modifiers: ReadonlySet<string>
  readonly path: string
  readonly mode?: number
  /** `~`: the mode takes away what the path does not have already. */
  readonly isMasked: boolean
  readonly owner?: string
  readonly group?: string
  /** Which of `mode`, `owner` and `group` count only where the path is made (`:`). */
  readonly onlyMade: ReadonlySet<'mode' | 'owner' | 'group'>
  readonly argument?: string | Uint8Array
}

const modifiersOf: Readonly<Record<string, string>> = { f: '+~^', F: '~^', w: '+~^', C: '+', L: '+?' }
const forcible = new Set('pcbaA')
/** Types whose argument is text: escapes and specifiers count in it. */
const textual = new Set('fFwCL')
const types = new Set('fFwdDevqQpLcbCxXrRzZmtThHaA')

/**
 * Reads a line; undefined where it is not for an image at build time: for boot only (`!`), for a credential (`^`), or
 * of a path or a text that only a running machine has (`%m`). Throws `UnreadableLine`.
 */
export function parseTmpfilesLine(text: string): TmpfilesLine | undefined {
  const [action = '', path = '', mode = '-', owner = '-', group = '-', , rest = '-'] = splitWords(text, 6)
  const type = action[0] ?? ''
  if (!types.has(type)) throw new UnreadableLine(`has the type "${type}", which Slipway does not know`)
  if (path === '') throw new UnreadableLine('names no path')
  const modifiers = readModifiers(type, action.slice(1))
  const place = expandSpecifiers(path)
  if (modifiers.has('!') || modifiers.has('^') || place === undefined) return undefined
  if (!place.startsWith('/')) throw new UnreadableLine('names a path that does not begin at /')
  const argument = rest === '-' ? '' : readArgument(type, modifiers, rest)
  if (argument === undefined) return undefined
  if (type === 'w' && argument === '') throw new UnreadableLine('does not say what to write')
  const bits = readMode(mode)
  const isMade = (word: string): boolean => /^~*:/.test(word)
  return {
    type,
    modifiers,
    path: place,
    ...(bits !== undefined && { mode: bits }),
    isMasked: /^:*~/.test(mode),
    ...named('owner', owner),
    ...named('group', group),
    onlyMade: new Set([
      ...(isMade(mode) ? (['mode'] as const) : []),
      ...(isMade(owner) ? (['owner'] as const) : []),
      ...(isMade(group) ? (['group'] as const) : []),
    ]),
    ...(argument !== '' && { argument }),
  }
}

/** `-` (may fail) and `$` (purge) say nothing of an image. */
function readModifiers(type: string, text: string): Set<string> {
  const known = `!-$${forcible.has(type) ? '+' : ''}${modifiersOf[type] ?? ''}`
  const unknown = [...text].find((modifier) => !known.includes(modifier))
  if (unknown !== undefined)
    throw new UnreadableLine(`has "${unknown}" behind the type ${type}, which Slipway does not know`)
  return new Set(text)
}

function readArgument(
  type: string,
  modifiers: ReadonlySet<string>,
  text: string,
): string | Uint8Array | undefined {
  if (!textual.has(type)) return text
  if (!modifiers.has('~')) return expandSpecifiers(unescapeText(text))
  const bytes = Buffer.from(text, 'base64')
  const plain = bytes.toString('utf8')
  return bytes.equals(Buffer.from(plain)) ? plain : new Uint8Array(bytes)
}

function readMode(text: string): number | undefined {
  const plain = text.replace(/^[:~]+/, '')
  if (text === '-' || text === '') return undefined
  if (!/^[0-7]{1,5}$/.test(plain))
    throw new UnreadableLine(`has the mode "${text}", which is no octal number`)
  return Number.parseInt(plain, 8)
}

function named<Key extends 'owner' | 'group'>(key: Key, text: string): { [K in Key]?: string } {
  const plain = text.replace(/^:/, '')
  return (text === '-' || plain === '' ? {} : { [key]: plain }) as { [K in Key]?: string }
}
