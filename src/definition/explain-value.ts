import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { interpolate } from './interpolate.ts'
import type { MergedYaml } from './merge-yaml.ts'
import { showPath, type ValuePath } from './problem.ts'
import { type DefinitionFile, type DefinitionValue, definitionValues } from './values.ts'

export interface Explanation {
  readonly path: string
  /** What holds, every file taken together; absent: it was taken away. */
  readonly value?: unknown
  /** A text with Compose variables, as it is when no profile says otherwise. */
  readonly unlessTold?: string
  /** Who said what, the lowest file's word first; the last one counts. Empty for a map: see `parts`. */
  readonly settings: DefinitionValue['settings']
  /** What is below a map. */
  readonly parts: readonly DefinitionValue[]
}

/** Who said what about a value, the lowest file's word first; empty where no file does. Pure. */
export function locateValue(files: readonly DefinitionFile[], path: string): Explanation['settings'] {
  return findValue(files, path)?.settings ?? []
}

/**
 * Who set a value of a definition: `brand.vendor`, `services.optimiser.mem_limit`, `components.dns.packages`,
 * `profiles.branch.services.dns.memory`. Throws `no-such-value` (exit code 2), naming what is near. Pure.
 */
export function explainValue(files: readonly DefinitionFile[], path: string): Explanation {
  const found = findValue(files, path)
  if (found) return found
  const values = definitionValues(files)
  const below = values.filter((one) => one.path.startsWith(`${path}.`))
  if (below.length > 0) return { path, settings: [], parts: below }
  throw unknownPath(path, values)
}

function findValue(files: readonly DefinitionFile[], path: string): Explanation | undefined {
  const words = splitPath(path)
  for (const { at, yaml } of files) {
    if (!at.every((part, index) => words[index] === part)) continue
    const found = locate(yaml, words.slice(at.length))
    if (found) return explainAt({ at, yaml }, found)
  }
  return undefined
}

function explainAt({ at, yaml }: DefinitionFile, path: ValuePath): Explanation {
  const shown = showPath([...at, ...path])
  const value = valueAt(yaml.value, path)
  const settings = yaml.settingsOf(path)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const values = definitionValues([{ at, yaml }])
    const parts = values.filter((one) => shown === '' || one.path.startsWith(`${shown}.`))
    return { path: shown, value, settings: parts.length > 0 ? [] : settings, parts }
  }
  const unlessTold = typeof value === 'string' && value.includes('$') ? interpolate(value, {}) : undefined
  return {
    path: shown,
    ...(value !== undefined && { value }),
    ...(unlessTold && unlessTold.errors.length === 0 && { unlessTold: unlessTold.text }),
    settings,
    parts: [],
  }
}

/** A path in a file that words lead to: keys may hold dots themselves, so the longest key that fits is taken. */
function locate(yaml: MergedYaml, words: readonly (string | number)[]): ValuePath | undefined {
  if (words.length === 0) return []
  const walk = (
    value: unknown,
    rest: readonly (string | number)[],
    path: ValuePath,
  ): ValuePath | undefined => {
    if (rest.length === 0) return path
    if (typeof value !== 'object' || value === null) return undefined
    for (let length = rest.length; length > 0; length--) {
      const key = rest.slice(0, length).join('.')
      if (!Object.hasOwn(value, key)) continue
      const next = Array.isArray(value) ? Number(key) : key
      const found = walk((value as Record<string, unknown>)[key], rest.slice(length), [...path, next])
      if (found) return found
    }
    return undefined
  }
  // What a file took away is nowhere in the value, and yet somebody's word.
  return walk(yaml.value, words, []) ?? (yaml.settingsOf(words).length > 0 ? words : undefined)
}

function valueAt(value: unknown, path: ValuePath): unknown {
  return path.reduce<unknown>(
    (at, part) => (at as Record<string | number, unknown> | undefined)?.[part],
    value,
  )
}

/** "services.dns.ports[0]", "pins.\"a.b\"" → its parts. */
function splitPath(text: string): (string | number)[] {
  const parts = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|\[(\d+)\]|[^.[\]"]+/g)]
  return parts.map(([whole, quoted, index]) => (index === undefined ? (quoted ?? whole) : Number(index)))
}

function unknownPath(path: string, values: readonly DefinitionValue[]): Error {
  const known = new Set(values.flatMap((one) => prefixes(one.path)))
  const last = path.split('.').at(-1)!
  const near = nearest(path, known, 3)
  // Rightly spelt in the wrong place.
  const elsewhere = [...known].filter((one) => one.endsWith(`.${last}`)).slice(0, 3)
  const told = near.length > 0 ? near : elsewhere
  return badInput(
    'no-such-value',
    `No file of this product sets ${path || 'an empty path'}${told.length > 0 ? `; near to it: ${told.join(', ')}` : ''}. To see all that is set: ${commandName()} explain`,
  )
}

function prefixes(path: string): string[] {
  const parts = path.split('.')
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'))
}
