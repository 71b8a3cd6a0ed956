import type { Effect } from '../debian/effect.ts'
import type { RecipeBook } from '../debian/recipe.ts'
import { matchScripts } from '../debian/script-match.ts'
import { parseTriggers, triggeredEffects } from '../debian/trigger.ts'
import type { Definition } from '../definition/definition.ts'
import type { OverlayFile } from '../definition/overlay.ts'
import type { SourceEntry, SourceTree } from '../definition/sources/source.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, SlipwayError } from '../lib/errors.ts'
import { addComponentAccounts, applyComponentRules } from './component-rules.ts'
import { declaredEffects } from './declared-effects.ts'
import { installedNames, writeDpkgDatabase } from './dpkg-database.ts'
import { writePathRules } from './dpkg-path-rules.ts'
import { applyEffects, type EffectContext } from './effects/apply.ts'
import { takeLocalCertificates } from './effects/ca-bundle.ts'
import { FileTree } from './file-tree.ts'
import type { LayerPackage } from './layer-package.ts'
import type { LayerPlan } from './layer-plan.ts'
import { dropReplaced, noOwners, type PathOwners, placePackages } from './place-packages.ts'
import { placeSource } from './place-source.ts'
import type { Entry } from './tree.ts'

/** What the components' folders and archives hold. */
export type SourceContents = ReadonlyMap<SourceTree, readonly SourceEntry[]>

/**
 * One layer's files: packages unpacked and configured, the components' own files over them, the package database last.
 * Pure but for the tree it returns. Throws what recipes and rules throw.
 *
 * @param lockDate seconds; dates a layer that no package dates
 */
export function buildLayer(
  definition: Definition,
  plan: LayerPlan,
  packages: readonly LayerPackage[],
  lower: readonly ReadonlyMap<string, Entry>[],
  recipes: RecipeBook,
  lockDate: number,
  contents: SourceContents = new Map(),
): FileTree {
  const { tree, context } = beginLayer(definition, packages, lower, lockDate)
  const owners = noOwners()
  installPackages(definition, tree, packages, recipes, context, owners)
  placeComponents(tree, plan, contents, context)
  if (packages.length > 0) writeDatabase(definition, tree, packages, plan)
  dropReplaced(tree, owners)
  return tree
}

/** A layer without anything in it yet. */
export function beginLayer(
  definition: Definition,
  packages: readonly LayerPackage[],
  lower: readonly ReadonlyMap<string, Entry>[],
  lockDate: number,
): { tree: FileTree; context: EffectContext } {
  const newest = packages.reduce((date, unpacked) => Math.max(date, unpacked.newest), 0)
  const tree = new FileTree(lower, newest || lockDate)
  const context: EffectContext = {
    users: definition.components.flatMap((component) => component.users),
    groups: definition.components.flatMap((component) => component.groups),
    day: Math.floor(tree.date / 86_400),
  }
  return { tree, context }
}

/** Packages unpacked and configured by their recipes. */
export function installPackages(
  definition: Definition,
  tree: FileTree,
  packages: readonly LayerPackage[],
  recipes: RecipeBook,
  context: EffectContext,
  owners?: PathOwners,
): void {
  placePackages(tree, packages, owners)
  applyEffects(tree, packageEffects(definition, tree, packages, recipes), context)
}

/** The components' own files and rules, over what their packages brought. */
export function placeComponents(
  tree: FileTree,
  plan: LayerPlan,
  contents: SourceContents,
  context: EffectContext,
): void {
  for (const { component, overlay, trees } of plan.components) {
    sayingWhose(component.name, () => {
      if (trees.length > 0) addComponentAccounts(tree, component, context)
      for (const source of trees) placeSource(tree, source.rule, contents.get(source)!)
      placeFiles(tree, overlay)
      applyComponentRules(tree, component, context)
    })
  }
  placeFiles(tree, plan.brand)
  takeLocalCertificates(tree)
}

/** What a component's own files and rules cannot have is its author's to correct: bad input, with the folder to look in. */
function sayingWhose(component: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error
    throw badInput(
      error.code,
      `images/${component}: ${error.message} Correct it, then run: ${commandName()} build`,
      error,
    )
  }
}

export function writeDatabase(
  definition: Definition,
  tree: FileTree,
  packages: readonly LayerPackage[],
  plan: LayerPlan,
): void {
  writePathRules(tree, definition.omit)
  writeDpkgDatabase(tree, packages, plan.excluded)
}

/** What configuring the layer's packages does: their scripts, what they declare, and the triggers they set off. */
function packageEffects(
  definition: Definition,
  tree: FileTree,
  packages: readonly LayerPackage[],
  recipes: RecipeBook,
): Effect[] {
  const ordered = configurationOrder(packages)
  const own = ordered.flatMap((unpacked) => [
    ...declaredEffects(unpacked.entries),
    ...matchScripts(unpacked.locked, unpacked.control, recipes, definition.accept),
  ])
  const activates = new Set(
    packages.flatMap(({ control }) => parseTriggers(decode(control.get('triggers'))).activates),
  )
  const installed = [...installedNames(tree), ...packages.map((unpacked) => unpacked.locked.name)]
  const paths = packages.flatMap((unpacked) => unpacked.entries.map((entry) => entry.path))
  return [...own, ...triggeredEffects(recipes, installed, activates, paths)]
}

/** Dependencies before what needs them, as dpkg configures; circles are cut where the name comes first. */
export function configurationOrder(packages: readonly LayerPackage[]): LayerPackage[] {
  const byName = new Map(packages.map((unpacked) => [unpacked.locked.name, unpacked]))
  const ordered = new Set<LayerPackage>()
  const entered = new Set<string>()
  const visit = (unpacked: LayerPackage): void => {
    if (entered.has(unpacked.locked.name)) return
    entered.add(unpacked.locked.name)
    for (const name of unpacked.locked.needs) {
      const needed = byName.get(name)
      if (needed) visit(needed)
    }
    ordered.add(unpacked)
  }
  for (const name of [...byName.keys()].sort()) visit(byName.get(name)!)
  return [...ordered]
}

function placeFiles(tree: FileTree, files: readonly OverlayFile[]): void {
  for (const { path, mode, content, target } of files) {
    const base = { path, mode, uid: 0, gid: 0, mtime: tree.date }
    if (target === undefined) tree.put({ ...base, type: 'file', content: content! })
    else tree.put({ ...base, type: 'symlink', target })
  }
}

function decode(bytes: Uint8Array | undefined): string {
  return bytes ? new TextDecoder().decode(bytes) : ''
}
