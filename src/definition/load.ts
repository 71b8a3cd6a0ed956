import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { platforms } from '../lib/platform.ts'
import { type CheckSource, type ComponentSource, toCheck, toComponent } from './component.ts'
import type { AcceptedScript, Brand, Component, Definition } from './definition.ts'
import { type Problem, refuseProblems, showPath } from './problem.ts'
import { checkRuntime } from './runtime-check.ts'
import { checkSchema } from './schema.ts'
import { readYamlFile } from './yaml-file.ts'

/** `appliance.yaml` as its schema allows it. */
interface ApplianceSource {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly debian: {
    readonly suite: string
    readonly archiveComponents?: readonly string[]
    readonly updates?: boolean
    readonly security?: boolean
    readonly mirror?: string
    readonly securityMirror?: string
    readonly snapshots?: readonly string[]
    readonly keyrings: readonly string[]
  }
  readonly platforms?: Definition['platforms']
  readonly layers: readonly string[]
  readonly pins?: Readonly<Record<string, string>>
  readonly exclude?: Readonly<Record<string, string>>
  readonly omit?: readonly {
    readonly path: string
    readonly except?: readonly string[]
    readonly reason: string
  }[]
  readonly accept?: readonly AcceptedScript[]
  readonly keys?: readonly string[]
  readonly brand: Brand
  readonly checks?: readonly CheckSource[]
}

const slipwayRecipes = fileURLToPath(new URL('../../images/recipes', import.meta.url))

/**
 * Reads and checks a product directory. Throws a DefinitionError (exit code 2) that names every mistake in every
 * file: where it stands, what was found, what is allowed.
 */
export async function loadDefinition(directory: string): Promise<Definition> {
  const root = path.resolve(directory)
  if (!(await isFile(path.join(root, 'appliance.yaml'))))
    throw badInput(
      'no-definition',
      `There is no appliance.yaml in ${root}; go to the product directory, or name it with: slipway --directory DIR`,
    )
  const appliance = await readYamlFile(root, 'appliance.yaml')
  const components = await readComponents(root)
  const problems: Problem[] = [
    ...appliance.problems,
    ...checkSchema('appliance', appliance),
    ...components.problems,
  ]
  refuseProblems(problems)

  const source = appliance.value as ApplianceSource
  for (const { component, file, line } of components.found) {
    if (source.layers.includes(component.layer)) continue
    const near = nearest(component.layer, source.layers)[0]
    problems.push({
      file,
      line,
      path: 'layer',
      text: `the layer is "${component.layer}"; it must be one of appliance.yaml's layers: ${source.layers.join(', ')}${near ? `; did you mean ${near}?` : ''}`,
    })
  }
  const named = [
    ...source.debian.keyrings.map((file, index) => ({ file, place: ['debian', 'keyrings', index] as const })),
    ...(source.keys ?? []).map((file, index) => ({ file, place: ['keys', index] as const })),
  ]
  for (const { file, place } of named) {
    if (await isFile(path.resolve(root, file))) continue
    problems.push({
      file: 'appliance.yaml',
      line: appliance.lineOf(place),
      path: showPath(place),
      text: `${showPath(place)} is "${file}", but there is no such file`,
    })
  }
  const definition: Definition = {
    directory: root,
    name: source.name,
    version: source.version,
    description: source.description ?? '',
    debian: {
      suite: source.debian.suite,
      archiveComponents: source.debian.archiveComponents ?? ['main'],
      updates: source.debian.updates ?? true,
      security: source.debian.security ?? true,
      ...(source.debian.mirror === undefined ? {} : { mirror: source.debian.mirror }),
      ...(source.debian.securityMirror === undefined ? {} : { securityMirror: source.debian.securityMirror }),
      snapshots: source.debian.snapshots ?? [],
      keyrings: source.debian.keyrings.map((keyring) => path.resolve(root, keyring)),
    },
    platforms: source.platforms ?? platforms,
    layers: source.layers,
    pins: source.pins ?? {},
    exclude: source.exclude ?? {},
    omit: (source.omit ?? []).map((rule) => ({ ...rule, except: rule.except ?? [] })),
    accept: source.accept ?? [],
    keys: (source.keys ?? []).map((key) => path.resolve(root, key)),
    brand: source.brand,
    components: components.found
      .map(({ component }) => component)
      .sort((a, b) => source.layers.indexOf(a.layer) - source.layers.indexOf(b.layer)),
    checks: (source.checks ?? []).map(toCheck),
    composeFile: path.join(root, 'compose', 'appliance.yaml'),
    profilesFolder: path.join(root, 'profiles'),
    recipeFolders: [...new Set([path.join(root, 'images', 'recipes'), slipwayRecipes])],
  }
  refuseProblems([...problems, ...(await checkRuntime(definition))])
  return definition
}

interface FoundComponent {
  readonly component: Component
  readonly file: string
  readonly line: number
}

async function readComponents(root: string): Promise<{ found: FoundComponent[]; problems: Problem[] }> {
  const found: FoundComponent[] = []
  const problems: Problem[] = []
  for (const name of await componentNames(root)) {
    const yaml = await readYamlFile(root, path.join('images', name, 'component.yaml'))
    const wrong = [...yaml.problems, ...checkSchema('component', yaml)]
    problems.push(...wrong)
    if (wrong.length > 0) continue
    const rootfs = path.join(root, 'images', name, 'rootfs')
    const component = toComponent(
      name,
      yaml.value as ComponentSource,
      (await isDirectory(rootfs)) ? rootfs : undefined,
    )
    found.push({ component, file: yaml.file, line: yaml.lineOf(['layer']) })
  }
  return { found, problems }
}

/** Folders of images/ that hold a component.yaml, sorted by code unit; keyrings and recipes hold none. */
async function componentNames(root: string): Promise<string[]> {
  const folder = path.join(root, 'images')
  const names = await readdir(folder).catch(() => [])
  const present = await Promise.all(names.map((name) => isFile(path.join(folder, name, 'component.yaml'))))
  return names.filter((_, index) => present[index]).sort()
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false
}

async function isDirectory(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => undefined))?.isDirectory() ?? false
}
