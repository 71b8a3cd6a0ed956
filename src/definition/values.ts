import { readComposeFile } from './compose-file.ts'
import { mergeAppliance } from './load.ts'
import { type MergedYaml, mergeYaml, type Setting } from './merge-yaml.ts'
import { findParents, rootsOf } from './parents.ts'
import { showPath, type ValuePath } from './problem.ts'
import { profileNames, readProfileFile } from './profile-load.ts'
import { namesInRoots, type Roots, rootsWithFile } from './roots.ts'
import { readYamlFile } from './yaml-file.ts'

/** A merged file of a definition, and where its values hang in the whole: "components.optimiser". */
export interface DefinitionFile {
  readonly at: ValuePath
  readonly yaml: MergedYaml
}

/** One value of a definition, and who said what about it; the last word counts. */
export interface DefinitionValue {
  readonly path: string
  readonly value: unknown
  readonly settings: readonly Setting[]
}

/** Every YAML file of a right definition, merged: the product's, each component's, Compose's, each profile's. */
export async function readDefinitionFiles(directory: string): Promise<DefinitionFile[]> {
  const chain = await findParents(directory)
  const roots = rootsOf(chain)
  return [
    { at: [], yaml: mergeAppliance(chain) },
    ...(await componentFiles(roots)),
    { at: [], yaml: await readComposeFile({ roots }) },
    ...(await Promise.all(
      (
        await profileNames({ roots })
      ).map(async (name) => ({
        at: ['profiles', name],
        yaml: await readProfileFile({ roots }, name),
      })),
    )),
  ]
}

async function componentFiles(roots: Roots): Promise<DefinitionFile[]> {
  const files: DefinitionFile[] = []
  for (const name of await namesInRoots(roots, 'images')) {
    const file = `images/${name}/component.yaml`
    const holders = await rootsWithFile(roots, file)
    if (holders.length === 0) continue
    const yaml = mergeYaml(await Promise.all(holders.map((root) => readYamlFile(root, file)).reverse()))
    files.push({ at: ['components', name], yaml })
  }
  return files
}

/** The values of a definition: scalars and lists, a list being one value. Pure. */
export function definitionValues(files: readonly DefinitionFile[]): DefinitionValue[] {
  return files.flatMap(({ at, yaml }) =>
    leaves(yaml.value).map(({ path, value }) => ({
      path: showPath([...at, ...path]),
      value,
      settings: yaml.settingsOf(path),
    })),
  )
}

function leaves(value: unknown, path: ValuePath = []): { path: ValuePath; value: unknown }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }]
  const entries = Object.entries(value)
  if (entries.length === 0) return path.length === 0 ? [] : [{ path, value }]
  return entries.flatMap(([key, inner]) => leaves(inner, [...path, key]))
}
