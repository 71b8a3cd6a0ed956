import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'
import { ownFolder } from '../lib/own-folder.ts'
import { isKnownRight } from '../lib/precompiled.ts'
import { explainSchemaErrors } from './explain.ts'
import type { Problem } from './problem.ts'
import type { YamlFile } from './yaml-file.ts'

export type SchemaName = 'appliance' | 'component' | 'compose' | 'profile'

/** Where a schema is, in Slipway's own directory. */
export function schemaFile(name: SchemaName): string {
  return path.join(ownFolder, 'src', 'definition', 'schema', `${name}.schema.json`)
}

let ajv: Ajv | undefined

/** What a JSON Schema (draft-07) has against a file's value; nothing where the file could not be parsed. */
export function checkSchema(name: SchemaName, yaml: YamlFile, value: unknown = yaml.value): Problem[] {
  if (yaml.problems.length > 0 || isKnownRight(name, value)) return []
  const validate = validator(name)
  if (validate(value)) return []
  return explainSchemaErrors(
    validate.errors as ErrorObject[],
    yaml,
    // Every schema names its parts in `definitions`, of its own or of the schema before the `#`.
    (ref) => ajv!.getSchema(ref.startsWith('#') ? `${name}.schema.json${ref}` : ref)?.schema,
  )
}

/** Loaded when a file is wrong: it takes longer than all else that reading a definition does. */
function loadAjv(): typeof Ajv {
  return createRequire(import.meta.url)('ajv').Ajv
}

function validator(name: SchemaName): ValidateFunction {
  ajv ??= new (loadAjv())({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    // Our own schemas are right, and short-lived: compiling quickly beats validating quickly.
    validateSchema: false,
    meta: false,
    code: { optimize: false },
  })
  if (name === 'appliance') schema('component')
  return schema(name)
}

function schema(name: SchemaName): ValidateFunction {
  const known = ajv!.getSchema(`${name}.schema.json`)
  if (known) return known
  ajv!.addSchema(JSON.parse(readFileSync(schemaFile(name), 'utf8')))
  return ajv!.getSchema(`${name}.schema.json`)!
}
