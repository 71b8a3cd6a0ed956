import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { isFile } from '../lib/is-file.ts'
import { nearest } from '../lib/nearest.ts'
import { ownFolder } from '../lib/own-folder.ts'
import { DefinitionError, type Problem } from './problem.ts'
import type { Root, Roots } from './roots.ts'
import { readYamlFile, type YamlFile } from './yaml-file.ts'

/** The name by which any product directory extends the reference appliance that Slipway brings along. */
export const referenceName = 'slipway-reference'

/** A product directory and its `appliance.yaml`, unmerged. */
export interface ApplianceFile {
  readonly root: Root
  readonly yaml: YamlFile
}

/**
 * Follows `extends` from a product directory upwards: its own `appliance.yaml` first. Throws `no-definition`, and a
 * DefinitionError where a parent is missing or the way goes in a circle.
 */
export async function findParents(directory: string): Promise<readonly [ApplianceFile, ...ApplianceFile[]]> {
  const own: Root = { directory: path.resolve(directory), label: '' }
  if (!(await isFile(path.join(own.directory, 'appliance.yaml')))) {
    throw badInput(
      'no-definition',
      `There is no appliance.yaml in ${own.directory}; go to the product directory, or name it with: ${commandName()} --directory DIR`,
    )
  }
  const found: [ApplianceFile, ...ApplianceFile[]] = [
    { root: own, yaml: await readYamlFile(own, 'appliance.yaml') },
  ]
  const seen = [await realpath(own.directory)]
  for (;;) {
    const last = found.at(-1)!
    const wanted = extendsOf(last.yaml)
    if (wanted === undefined) return found
    const parent = await findParent(own, last, wanted)
    const real = await realpath(parent.directory)
    if (seen.includes(real)) {
      const way = [...found.map(({ root }) => root.label || '.'), parent.label || '.']
      throw new DefinitionError([problemAt(last, `goes in a circle: ${way.join(' → ')}`)])
    }
    seen.push(real)
    found.push({ root: parent, yaml: await readYamlFile(parent, 'appliance.yaml') })
  }
}

/** The directories alone. */
export function rootsOf(files: readonly ApplianceFile[]): Roots {
  return files.map(({ root }) => root) as unknown as Roots
}

/** What `appliance.yaml` extends; anything that cannot be one is left to the schema. */
function extendsOf({ value }: YamlFile): string | undefined {
  const wanted = typeof value === 'object' && value !== null && 'extends' in value ? value.extends : undefined
  return typeof wanted === 'string' && wanted !== '' ? wanted : undefined
}

async function findParent(own: Root, child: ApplianceFile, wanted: string): Promise<Root> {
  if (wanted === referenceName) return { directory: ownFolder, label: referenceName }
  const directory = path.resolve(child.root.directory, wanted)
  if (await isFile(path.join(directory, 'appliance.yaml'))) {
    const relative = path.relative(own.directory, directory) || '.'
    return { directory, label: path.isAbsolute(relative) ? directory : relative.split(path.sep).join('/') }
  }
  const near = nearest(wanted, [referenceName])[0]
  throw new DefinitionError([
    problemAt(
      child,
      `is ${JSON.stringify(wanted)}, and there is no product directory (no appliance.yaml in ${directory}); it must be ${referenceName} or the path of one${near ? `; did you mean ${near}?` : ''}`,
    ),
  ])
}

function problemAt({ yaml }: ApplianceFile, text: string): Problem {
  return { ...yaml.placeOf(['extends']), path: 'extends', text: `extends ${text}` }
}
