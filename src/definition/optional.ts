import { mergeYaml } from './merge-yaml.ts'
import { type Roots, rootsWithFile } from './roots.ts'
import { readYamlFile } from './yaml-file.ts'

/** Component names that `appliance.yaml` switches on under `optional`, its own word over its parents'. */
export async function switchedOn(roots: Roots): Promise<readonly string[]> {
  const files = await Promise.all(roots.map((root) => readYamlFile(root, 'appliance.yaml')))
  const { optional } = Object(mergeYaml(files.reverse()).value) as { optional?: unknown }
  return Array.isArray(optional) ? optional.map(String) : []
}

/** Whether a component waits to be switched on: `optional: true` in its file. */
export async function isOptional(roots: Roots, component: string): Promise<boolean> {
  const file = `images/${component}/component.yaml`
  const holders = await rootsWithFile(roots, file)
  if (holders.length === 0) return false
  const yaml = mergeYaml(await Promise.all(holders.map((root) => readYamlFile(root, file)).reverse()))
  return (Object(yaml.value) as { optional?: unknown }).optional === true
}
