import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { type SchemaName, schemaFile } from './schema.ts'

/** Where a product directory keeps its schemas for editors. */
export const schemaFolder = '.slipway/schema'

/** The schemas for editors, by path in the product directory, as the YAML files of a product that extends another need them. */
export function editorSchemas(): Map<string, string> {
  const names: readonly SchemaName[] = ['appliance', 'component', 'compose', 'profile']
  return new Map(
    names.map((name) => {
      const schema = JSON.parse(readFileSync(schemaFile(name), 'utf8')) as Schema
      return [`${schemaFolder}/${name}.schema.json`, `${JSON.stringify(relaxFile(schema), null, 2)}\n`]
    }),
  )
}

/** Paths of the schemas in a product directory that another version wrote, or none did; none where it keeps no schemas. */
export async function staleSchemas(directory: string): Promise<string[]> {
  const kept = await readdir(path.join(directory, schemaFolder)).catch(() => [])
  if (kept.length === 0) return []
  const compared = [...editorSchemas()].map(async ([file, text]) => {
    const found = await readFile(path.join(directory, file), 'utf8').catch(() => undefined)
    return found?.replaceAll('\r\n', '\n') === text ? [] : [file]
  })
  return (await Promise.all(compared)).flat()
}

interface Schema {
  readonly [key: string]: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly definitions?: Readonly<Record<string, Schema>>
  readonly description?: string
  readonly type?: unknown
  readonly $ref?: string
}

/** A file that is laid over another may leave out what that says, take it away, or add to its lists. */
function relaxFile(schema: Schema): Schema {
  const reached = new Set<string>()
  const relax = (map: Schema): Schema => {
    const { required: _, ...rest } = map
    const properties = Object.entries(map.properties ?? {}).flatMap(([key, value]): [string, Schema][] => [
      [key, orNothing(value)],
      ...(value.type === 'array' ? [[`${key}+`, value] as [string, Schema]] : []),
    ])
    return {
      ...rest,
      ...(map.properties && { properties: Object.fromEntries(properties) }),
      ...(typeof map.additionalProperties === 'object' && {
        additionalProperties: orNothing(map.additionalProperties),
      }),
    }
  }
  const orNothing = (value: Schema): Schema => {
    if (value.$ref?.startsWith('#/definitions/')) reached.add(value.$ref.slice('#/definitions/'.length))
    const { description } = value
    return { ...(description && { description }), anyOf: [relax(value), { type: 'null' }] }
  }
  const relaxed = relax(schema)
  const definitions = new Map(Object.entries(schema.definitions ?? {}))
  // Those that only lists hold stay whole: a list is replaced or added to, item by item.
  for (const name of reached) {
    const definition = definitions.get(name)
    if (definition) definitions.set(name, relax(definition))
  }
  return { ...relaxed, ...(schema.definitions && { definitions: Object.fromEntries(definitions) }) }
}
