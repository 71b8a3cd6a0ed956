import type { Compose } from './compose.ts'
import { readCompose } from './compose-parse.ts'
import type { Definition } from './definition.ts'
import type { Variables } from './interpolate.ts'
import { type MergedYaml, mergeYaml } from './merge-yaml.ts'
import { isOptional, switchedOn } from './optional.ts'
import { refuseProblems } from './problem.ts'
import { namesInRoots, type Root } from './roots.ts'
import { readYamlFile } from './yaml-file.ts'

const mainFile = 'compose/appliance.yaml'

/** The product's Compose file with these variables replaced. Throws a DefinitionError that names every mistake. */
export async function loadCompose(
  definition: Pick<Definition, 'roots'>,
  variables: Variables,
): Promise<Compose> {
  return (await loadComposeUse(definition, variables)).compose
}

/** As `loadCompose`, with the names of the variables that it uses. */
export async function loadComposeUse(
  definition: Pick<Definition, 'roots'>,
  variables: Variables,
): Promise<{ readonly compose: Compose; readonly names: ReadonlySet<string> }> {
  const { compose, problems, names } = readCompose(await readComposeFile(definition), variables)
  refuseProblems(problems)
  return { compose: compose!, names }
}

/** The names of the variables that the product's Compose file uses: what a profile can set. */
export async function composeVariables(definition: Pick<Definition, 'roots'>): Promise<ReadonlySet<string>> {
  return readCompose(await readComposeFile(definition), {}).names
}

/** The product's Compose files laid over each other: its parents' first, `appliance.yaml` before the others. */
export async function readComposeFile(definition: Pick<Definition, 'roots'>): Promise<MergedYaml> {
  const files = await composeFiles(definition)
  if (files.length === 0) files.push({ root: definition.roots[0], file: mainFile })
  return mergeYaml(await Promise.all(files.map(({ root, file }) => readYamlFile(root, file))))
}

/** Every file of `compose/` but those named after an optional component that is not switched on. */
export async function composeFiles({
  roots,
}: Pick<Definition, 'roots'>): Promise<{ root: Root; file: string }[]> {
  const found = []
  const on = await switchedOn(roots)
  for (const root of roots.toReversed()) {
    const names = (await namesInRoots([root], 'compose')).filter((name) => name.endsWith('.yaml'))
    const files: string[] = []
    for (const name of names) {
      const component = name.slice(0, -'.yaml'.length)
      if (on.includes(component) || !(await isOptional(roots, component))) files.push(`compose/${name}`)
    }
    for (const file of files.sort((a, b) => Number(b === mainFile) - Number(a === mainFile))) {
      found.push({ root, file })
    }
  }
  return found
}
