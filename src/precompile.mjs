/**
 * Compiles every JSON Schema into plain functions, dist/validators.cjs, so that a command that reads a right file does
 * not load and run a schema compiler first. Run after tsc, by `prepare` and by bootstrap.mjs.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import standalone from 'ajv/dist/standalone/index.js'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const schemas = ['debian', 'definition'].flatMap((folder) => {
  const schemaFolder = path.join(root, 'src', folder, 'schema')
  return readdirSync(schemaFolder).map((name) =>
    JSON.parse(readFileSync(path.join(schemaFolder, name), 'utf8')),
  )
})
const ajv = new Ajv({
  schemas,
  strict: true,
  allowUnionTypes: true,
  strictRequired: false,
  code: { source: true },
})
const names = Object.fromEntries(schemas.map(({ $id }) => [$id.replace('.schema.json', ''), $id]))
writeFileSync(path.join(root, 'dist', 'validators.cjs'), standalone.default(ajv, names))
