import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { ownFolder } from '../lib/own-folder.ts'
import { isKnownRight } from '../lib/precompiled.ts'

export interface RawRecipe {
  readonly package: string
  readonly scripts: readonly {
    readonly script: 'preinst' | 'postinst'
    readonly read: string
    readonly sha256: readonly string[]
    readonly does: string
    readonly run?: true
    readonly effects?: readonly RawEffect[]
  }[]
  readonly triggers?: readonly { readonly name: string; readonly effects: readonly RawEffect[] }[]
}

export type RawEffect = Readonly<Record<string, true | Readonly<Record<string, unknown>>>>

interface SchemaNode {
  readonly description?: string
  readonly properties?: Readonly<Record<string, unknown>>
}

// Our own schema is right, and a program runs once: compiling quickly beats validating quickly.
const quickly = {
  verbose: true,
  allErrors: true,
  validateSchema: false,
  meta: false,
  code: { optimize: false },
}

let compiled: ValidateFunction<RawRecipe> | undefined

function validator(): ValidateFunction<RawRecipe> {
  const file = path.join(ownFolder, 'src', 'debian', 'schema', 'recipe.schema.json')
  const { Ajv: Compiler } = createRequire(import.meta.url)('ajv') as { Ajv: typeof Ajv }
  compiled ??= new Compiler(quickly).compile<RawRecipe>(JSON.parse(readFileSync(file, 'utf8')))
  return compiled
}

/**
 * Checks a recipe's data against its schema; throws `bad-recipe` with the place, what was found and what is allowed.
 *
 * @param lineOf the line of keys and list positions, 1-based
 */
export function checkRecipe(
  file: string,
  data: unknown,
  lineOf: (place: readonly string[]) => number,
): RawRecipe {
  if (isKnownRight('recipe', data)) return data as RawRecipe
  const validate = validator()
  if (validate(data)) return data
  const errors = validate.errors!
  // The branches of oneOf fail first; what matters is that none fits.
  // A key that is missing because it is misspelt is one mistake.
  const first = (keyword: string) => errors.find((error) => error.keyword === keyword)
  const told = first('oneOf') ?? first('additionalProperties') ?? errors[0]!
  const line = lineOf(told.instancePath.split('/').slice(1))
  throw badInput('bad-recipe', `${file}:${line}: ${explain(told)}.`)
}

function explain(error: ErrorObject): string {
  const place = error.instancePath === '' ? '' : `${placeOf(error.instancePath)}: `
  const schema = error.parentSchema as SchemaNode
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty)
      const known = Object.keys(schema.properties ?? {})
      const near = nearest(key, known)[0]
      return `${place}the key "${key}" is unknown; ${near ? `the nearest known is "${near}"` : `known are ${known.join(', ')}`}`
    }
    case 'required':
      return `${place}the key "${error.params.missingProperty}" is missing`
    case 'oneOf':
      return `${place}it needs either content or copyOf`
    case 'maxProperties':
    case 'minProperties':
      return `${place}an effect has exactly one key`
    default: {
      const found = JSON.stringify(error.data) ?? 'nothing'
      return `${place}found ${found.slice(0, 80)}, expected ${schema.description ?? error.message}`
    }
  }
}

/** "/scripts/0/sha256" as people write it: "scripts[0].sha256". */
function placeOf(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'))
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('')
}
