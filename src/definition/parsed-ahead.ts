import { readFileSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parseJson } from '../lib/parse-json.ts'

/** Where the installer image has what its product's YAML says, beside the product directory. */
export const parsedName = 'parsed.json'

/**
 * YAML texts and their values, for a program that is to read the same texts again and again, each time anew: as JSON
 * they are there at once, where loading a YAML parser and running it cold takes Debian's Node a sixth of a second. What
 * JSON would change is left out.
 */
export function formatParsed(values: ReadonlyMap<string, unknown>): string {
  const entries = [...values].filter(([, value]) =>
    isDeepStrictEqual(parseJson(JSON.stringify(value)), value),
  )
  return `${JSON.stringify(entries)}\n`
}

let loaded: ReadonlyMap<string, unknown> | undefined

/** What a text was found to say when the installer image was built; undefined for any other text. */
export function parsedAhead(text: string): { readonly value: unknown } | undefined {
  loaded ??= load(process.env.SLIPWAY_PRODUCT)
  return loaded.has(text) ? { value: loaded.get(text) } : undefined
}

function load(product: string | undefined): ReadonlyMap<string, unknown> {
  if (!product) return new Map()
  try {
    return new Map(JSON.parse(readFileSync(path.join(path.dirname(product), parsedName), 'utf8')))
  } catch {
    // Then they are parsed.
    return new Map()
  }
}
