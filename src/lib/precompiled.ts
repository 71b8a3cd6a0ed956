import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

type Validators = Readonly<Record<string, (value: unknown) => boolean>>

let loaded: Validators | undefined

/**
 * Whether a value is right by a schema ("component", "recipe"), as src/precompile.mjs compiled it: quick, but it does
 * not say what is wrong. Always false where nothing was compiled (running from the sources): ask the schema then.
 */
export function isKnownRight(schema: string, value: unknown): boolean {
  loaded ??= load()
  return loaded[schema]?.(value) === true
}

function load(): Validators {
  const file = fileURLToPath(new URL('../validators.cjs', import.meta.url))
  return existsSync(file) ? (createRequire(import.meta.url)(file) as Validators) : {}
}
