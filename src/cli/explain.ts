import path from 'node:path'
import { type ExplainedFile, explainFile } from '../definition/explain-file.ts'
import { type Explanation, explainValue } from '../definition/explain-value.ts'
import { loadDefinition } from '../definition/load.ts'
import { type DefinitionValue, definitionValues, readDefinitionFiles } from '../definition/values.ts'
import { badInput } from '../lib/errors.ts'
import type { Context } from './context.ts'

interface Options {
  readonly directory: string
  readonly json?: boolean
}

/** Who set a value of the definition, or which product directory a file comes from. */
export async function run(
  context: Context,
  { directory, json }: Options,
  [asked]: readonly string[],
): Promise<undefined> {
  const definition = await loadDefinition(path.resolve(context.cwd, directory))
  const print = (value: unknown, lines: () => string[]): void => {
    if (json) context.print(JSON.stringify(value, null, 2))
    else for (const line of lines()) context.print(line)
  }
  if (asked?.includes('/')) {
    const files = await explainFile(definition.roots, asked)
    if (files.length === 0) {
      throw badInput(
        'no-such-file',
        `No component of this product brings a file ${asked}; its overlays are in images/.`,
      )
    }
    print(files, () => files.flatMap(describeFile))
    return
  }
  const files = await readDefinitionFiles(definition.directory)
  if (asked === undefined) {
    const values = definitionValues(files)
    print(values, () => values.map(describePart))
    return
  }
  const explained = explainValue(files, asked)
  print(explained, () => describe(explained))
}

function describeFile({ path: file, from, over }: ExplainedFile): string[] {
  // Of its YAML files, a product has them all.
  const does = over.length > 0 && file.endsWith('/component.yaml') ? 'is merged key by key' : 'is taken'
  return [file, `  ${from} ${does}`, ...over.map((one) => `  over ${one}`)]
}

function describe({ path: where, value, unlessTold, settings, parts }: Explanation): string[] {
  if (parts.length > 0) return parts.map(describePart)
  const [last, ...earlier] = settings.toReversed()
  const told = unlessTold === undefined ? '' : ` (${unlessTold} unless a profile says otherwise)`
  return [
    value === undefined ? `${where} was taken away` : `${where}: ${show(value)}${told}`,
    ...(last ? [`  ${last.file}:${last.line} ${words[last.does]}`] : []),
    ...earlier.map((one) => `  over ${one.file}:${one.line}: ${show(one.value)}`),
  ]
}

const words = { sets: 'sets it', adds: 'adds to it', removes: 'takes it away' } as const

function describePart({ path: where, value, settings }: DefinitionValue): string {
  const last = settings.at(-1)
  return `${where}: ${show(value)}${last ? `  (${last.file}:${last.line})` : ''}`
}

function show(value: unknown): string {
  return typeof value === 'string' && !value.includes('\n') ? value : JSON.stringify(value)
}
