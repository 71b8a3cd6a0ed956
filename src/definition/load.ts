import { stat } from 'node:fs/promises'
import path from 'node:path'
import { ownFolder } from '../lib/own-folder.ts'
import { platforms } from '../lib/platform.ts'
import { chooseComponents, type FoundComponent, placeLayers } from './choose-components.ts'
import { type CheckSource, type ComponentSource, toCheck, toComponent } from './component.ts'
import type { AcceptedScript, Brand, Definition, Parent } from './definition.ts'
import { logoFault } from './logo.ts'
import { type MergedYaml, mergeYaml } from './merge-yaml.ts'
import { type ApplianceFile, findParents, rootsOf } from './parents.ts'
import { type Problem, refuseProblems, showPath, type ValuePath } from './problem.ts'
import { findInRoots, inRoot, namesInRoots, type Roots, rootsWithFile } from './roots.ts'
import { checkRuntime, checkRuntimeFiles } from './runtime-check.ts'
import { checkSchema } from './schema.ts'
import { findStrays } from './strays.ts'
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
  readonly optional?: readonly string[]
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

const slipwayRecipes = path.join(ownFolder, 'images', 'recipes')

/**
 * Reads and checks a product directory, laid over what it extends. Throws a DefinitionError (exit code 2) that names
 * every mistake in every file: where it stands, what was found, what is allowed.
 */
export async function loadDefinition(directory: string): Promise<Definition> {
  const chain = await findParents(directory)
  const roots = rootsOf(chain)
  const root = roots[0].directory
  const appliance = mergeAppliance(chain)
  const components = await readComponents(roots)
  const problems: Problem[] = [
    ...appliance.problems,
    ...checkSchema('appliance', appliance),
    ...ownIdentity(chain),
    ...components.problems,
    ...(await findStrays(roots, components.names)),
  ]
  if (problems.length > 0) problems.push(...(await checkRuntimeFiles({ roots })))
  refuseProblems(problems)

  const source = appliance.value as ApplianceSource
  const { chosen, problems: strays } = chooseComponents(source.optional ?? [], components.found, appliance)
  const { layers, problems: misplaced } = placeLayers(source.layers, chosen)
  problems.push(...strays, ...misplaced)
  const file = async (name: string, ...at: ValuePath): Promise<string> => {
    const found = await findInRoots(roots, name)
    if (found !== undefined) return found
    const text = `${showPath(at)} is "${name}", but there is no such file`
    problems.push({ ...appliance.placeOf(at), path: showPath(at), text })
    return ''
  }
  const files = (names: readonly string[], ...at: ValuePath): Promise<string[]> =>
    Promise.all(names.map((name, index) => file(name, ...at, index)))
  const keyrings = await files(source.debian.keyrings, 'debian', 'keyrings')
  const keys = await files(source.keys ?? [], 'keys')
  const { logo, ...brand } = source.brand
  const logoFile = logo === undefined ? '' : await file(logo, 'brand', 'logo')
  const fault = logoFile === '' ? undefined : await logoFault(logoFile)
  if (fault) {
    const text = `brand.logo is "${logo}", which ${fault}`
    problems.push({ ...appliance.placeOf(['brand', 'logo']), path: 'brand.logo', text })
  }
  const definition: Definition = {
    directory: root,
    roots,
    ...(chain[1] && { parent: identify(chain[1]) }),
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
      keyrings,
    },
    platforms: source.platforms ?? platforms,
    layers,
    pins: source.pins ?? {},
    exclude: oneLineEach(source.exclude ?? {}),
    omit: (source.omit ?? []).map((rule) => ({ ...rule, except: rule.except ?? [] })),
    accept: source.accept ?? [],
    keys,
    brand: logo === undefined ? brand : { ...brand, logo: logoFile },
    components: chosen
      .map(({ component }) => component)
      .sort((a, b) => layers.indexOf(a.layer) - layers.indexOf(b.layer)),
    checks: (source.checks ?? []).map(toCheck),
    composeFile: path.join(root, 'compose', 'appliance.yaml'),
    recipeFolders: [...new Set([...roots.map((one) => inRoot(one, 'images/recipes')), slipwayRecipes])],
  }
  refuseProblems([...problems, ...(await checkRuntime(definition))])
  return definition
}

/** Reasons as the lock holds them: YAML's block scalars end with a newline, and may have more. */
function oneLineEach(reasons: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(reasons).map(([name, reason]) => [name, reason.trim().replace(/\s*\n\s*/g, ' ')]),
  )
}

/** The `appliance.yaml` of a product over those of its parents. */
export function mergeAppliance(chain: readonly ApplianceFile[]): MergedYaml {
  const files = chain.map(({ yaml }) => ({ ...yaml, value: withoutExtends(yaml.value) }))
  return mergeYaml(files.reverse(), { keepLast: ['layers'] })
}

function withoutExtends(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { extends: parent, ...rest } = value as Record<string, unknown>
  return typeof parent === 'string' ? rest : value
}

/** What a product cannot have from its parent. */
function ownIdentity([own, parent]: readonly ApplianceFile[]): Problem[] {
  if (!own || !parent || own.yaml.problems.length > 0) return []
  const value = Object(own.yaml.value) as Record<string, unknown>
  return (['name', 'version'] as const)
    .filter((key) => !Object.hasOwn(value, key))
    .map((key) => ({
      ...own.yaml.placeOf([]),
      path: key,
      text: `${key} is missing; a product that extends another has a ${key} of its own`,
    }))
}

function identify({ root, yaml }: ApplianceFile): Parent {
  const { name, version } = yaml.value as ApplianceSource
  return { name, version, directory: root.directory }
}

async function readComponents(roots: Roots): Promise<{
  found: FoundComponent[]
  names: string[]
  problems: Problem[]
}> {
  const found: FoundComponent[] = []
  const names: string[] = []
  const problems: Problem[] = []
  for (const name of await namesInRoots(roots, 'images')) {
    const file = `images/${name}/component.yaml`
    const holders = await rootsWithFile(roots, file)
    if (holders.length === 0) continue // keyrings and recipes are no components
    names.push(name)
    const yaml = mergeYaml(await Promise.all(holders.map((root) => readYamlFile(root, file)).reverse()))
    const wrong = [...yaml.problems, ...checkSchema('component', yaml)]
    problems.push(...wrong)
    if (wrong.length > 0) continue
    const overlays = roots.map((root) => inRoot(root, `images/${name}/rootfs`)).reverse()
    const present = await Promise.all(overlays.map(isDirectory))
    const rootfs = overlays.filter((_, index) => present[index])
    const component = toComponent(name, yaml.value as ComponentSource, rootfs)
    const { layer, optional = false } = yaml.value as ComponentSource
    const place = () => yaml.placeOf(['layer'])
    found.push({ component, place, named: layer !== undefined, optional })
  }
  return { found, names, problems }
}

async function isDirectory(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => undefined))?.isDirectory() ?? false
}
