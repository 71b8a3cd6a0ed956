import type { ErrorObject } from 'ajv'
import { nearest } from '../lib/nearest.ts'
import { type Problem, showPath, type ValuePath } from './problem.ts'
import type { YamlFile } from './yaml-file.ts'

interface Schema {
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly $ref?: string
}

/** Turns what ajv found into sentences: where, what was found, what is allowed, the nearest right spelling. */
export function explainSchemaErrors(
  errors: readonly ErrorObject[],
  yaml: YamlFile,
  follow: (ref: string) => unknown,
): Problem[] {
  const problems = new Map<string, Problem>()
  const suggested = new Set<string>()
  // Unknown keys first: a key that is missing because it is misspelt is one mistake.
  const unknown = errors.filter((error) => error.keyword === 'additionalProperties')
  for (const error of [...unknown, ...withoutBranches(errors)]) {
    const told = explain(error, valuePath(error.instancePath, yaml.value), follow)
    if (!told) continue
    const path = showPath(told.at)
    if (told.suggests) suggested.add(showPath([...told.at.slice(0, -1), told.suggests]))
    // One place, one sentence: ajv tells a wrong value again for each keyword that refuses it.
    const place = told.missing ? showPath([...told.at, told.missing]) : path
    if (problems.has(place) || (told.missing && suggested.has(place))) continue
    problems.set(place, { ...yaml.placeOf(told.at), path, text: told.text })
  }
  return [...problems.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

/**
 * Of a value that fits none of several forms, ajv tells what each form has against it. What lies deeper is the real
 * mistake; where nothing does, the sentence about all forms together says it best.
 */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  const isChoice = (error: ErrorObject): boolean => error.keyword === 'oneOf' || error.keyword === 'anyOf'
  const choices = new Set(errors.filter(isChoice).map((error) => error.instancePath))
  const deep = (path: string): boolean =>
    errors.some(
      (error) =>
        error.instancePath.startsWith(`${path}/`) ||
        (error.instancePath === path && error.keyword === 'additionalProperties'),
    )
  return errors.filter(
    (error) => !choices.has(error.instancePath) || (isChoice(error) && !deep(error.instancePath)),
  )
}

interface Told {
  readonly at: ValuePath
  readonly text: string
  /** The key in `at` that is not there. */
  readonly missing?: string
  /** The key that was probably meant. */
  readonly suggests?: string | undefined
}

function explain(error: ErrorObject, where: ValuePath, follow: (ref: string) => unknown): Told | undefined {
  const schema = error.parentSchema as Schema
  const name = showPath(where) || 'the file'
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty)
      const near = nearest(key, Object.keys(schema.properties ?? {}))[0]
      return { at: [...where, key], text: unknownKey(key, where, schema, near), suggests: near }
    }
    case 'required': {
      const key = String(error.params.missingProperty)
      const property = schema.properties?.[key]
      if (!property) return undefined
      const allowed = allowedBy(property.$ref ? (follow(property.$ref) as Schema) : property)
      return {
        at: where,
        missing: key,
        text: `${showPath([...where, key])} is missing${allowed ? `; it must be ${allowed}` : ''}`,
      }
    }
    case 'propertyNames': {
      const key = String(error.params.propertyName)
      return { at: [...where, key], text: `${showPath([...where, key])} is not a name that is allowed here` }
    }
    case 'pattern':
    case 'minLength':
      // The error inside propertyNames: told above with the key's own place.
      if (error.propertyName !== undefined)
        return {
          at: [...where, error.propertyName],
          text: `the key ${showPath([...where, error.propertyName])} must be ${allowedBy(schema)}`,
        }
      break
    case 'dependencies':
      return {
        at: [...where, String(error.params.property)],
        text: `${showPath([...where, String(error.params.property)])} is allowed beside ${String(error.params.deps)} only`,
      }
    case 'uniqueItems': {
      const position = Math.max(Number(error.params.i), Number(error.params.j))
      const at = [...where, position]
      const value = (error.data as unknown[])[position]
      return { at, text: `${showPath(at)} is ${show(value)}, which the list has already` }
    }
    case 'minItems':
      return { at: where, text: `${name} is empty; it must be ${allowedBy(schema)}` }
    case 'if':
      return undefined
  }
  const allowed = allowedBy(schema)
  return {
    at: where,
    text: `${name} is ${show(error.data)}; it must be ${allowed || String(error.message)}${suggestion(error.data, schema)}`,
  }
}

function unknownKey(key: string, where: ValuePath, schema: Schema, near: string | undefined): string {
  const known = Object.keys(schema.properties ?? {})
  const place = where.length === 0 ? 'at the top' : `in ${showPath(where)}`
  if (near)
    return `${showPath([...where, key])} is unknown; did you mean ${near}? Known ${place}: ${known.join(', ')}`
  return `${showPath([...where, key])} is unknown; known ${place}: ${known.join(', ')}`
}

function suggestion(found: unknown, schema: Schema): string {
  if (typeof found !== 'string' || !schema.enum) return ''
  const near = nearest(found, schema.enum.map(String))[0]
  return near ? `; did you mean ${near}?` : ''
}

function allowedBy(schema: Schema | undefined): string {
  if (!schema) return ''
  if (schema.enum) return oneOf(schema.enum.map(String))
  if (schema.description) return schema.description
  const types = [schema.type ?? []].flat()
  return types.map((type) => typeNames[type] ?? type).join(' or ')
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a map of keys',
  array: 'a list',
  string: 'text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
}

/** What was found, short enough for a sentence. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map of keys'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)
  return String(value)
}

/** A JSON Pointer (RFC 6901) as keys and list positions of `value`. */
function valuePath(pointer: string, value: unknown): ValuePath {
  let at = value
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const list = Array.isArray(at)
      at = (at as Record<string, unknown> | undefined)?.[key]
      return list ? Number(key) : key
    })
}
