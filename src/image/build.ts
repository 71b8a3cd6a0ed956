import path from 'node:path'
import type { RecipeFiles } from '../debian/recipe.ts'
import { parseRecipes } from '../debian/recipe-load.ts'
import type { Definition } from '../definition/definition.ts'
import { type OverlayFile, readOverlays } from '../definition/overlay.ts'
import { locateDebs } from '../definition/sources/locate-debs.ts'
import { readSources } from '../definition/sources/read-sources.ts'
import { localSuite } from '../definition/sources/source.ts'
import { commandName } from '../lib/command-name.ts'
import { sha256Hex } from '../lib/digest.ts'
import { badInput, errorCode, SlipwayError } from '../lib/errors.ts'
import type { Platform } from '../lib/platform.ts'
import type { Report } from '../lib/progress.ts'
import type { LockedPackage, Lockfile } from '../lock/lockfile.ts'
import { readBrandFiles } from './brand-files.ts'
import { buildLayer, type SourceContents } from './build-layer.ts'
import type { FileTree } from './file-tree.ts'
import { assembleImage, type Image } from './image.ts'
import { assembleLayer, layerEntries } from './layer.ts'
import type { CachedLayer, LayerCache } from './layer-cache.ts'
import type { LayerPackage } from './layer-package.ts'
import { type LayerPlan, planLayers } from './layer-plan.ts'
import type { ImageConfig } from './oci.ts'
import { buildRunLayer, findRuns } from './run/run-layer.ts'
import type { ScriptRunner } from './run/script-runner.ts'
import type { Entry } from './tree.ts'
import type { Workers } from './workers.ts'

export interface BuildOptions {
  readonly layers: LayerCache
  readonly workers: Workers
  readonly recipes: RecipeFiles
  /** Brings .deb files to this machine: hex SHA-256 → file. Asked only for what must be unpacked. */
  readonly fetch: (packages: readonly LockedPackage[]) => Promise<ReadonlyMap<string, string>>
  /** Runs maintainer scripts that must run; absent: a layer that needs it can only come from the cache. */
  readonly runner?: ScriptRunner | undefined
  /** Throws a cached .deb away that is not the locked one, so that \`fetch\` brings it anew. */
  readonly discard: (locked: LockedPackage) => Promise<void>
  readonly report: Report
  readonly signal: AbortSignal
  /** What an image that is no appliance has beside its definition. */
  readonly extra?: ImageExtra
}

export interface ImageExtra {
  /** Files of components that have no folder: component → files, ordered. */
  readonly overlays: ReadonlyMap<string, readonly OverlayFile[]>
  /** Over what the definition gives. */
  readonly config: Partial<ImageConfig['config']>
}

/**
 * Builds one platform's image: each layer from the cache, or from its packages. The same definition and lock give the
 * same manifest digest on any machine. Throws what unpacking, recipes and disk throw; nothing half-written stays.
 */
export async function buildImage(
  definition: Definition,
  lockfile: Lockfile,
  platform: Platform,
  options: BuildOptions,
): Promise<Image> {
  if (!lockfile.platforms[platform]) {
    const known = Object.keys(lockfile.platforms).join(', ')
    throw badInput(
      'no-such-platform',
      `appliance.lock has no ${platform}; it has ${known}. Add it to platforms in appliance.yaml and run \`${commandName()} lock\`.`,
    )
  }
  const plans = planLayers(definition, lockfile, platform, {
    overlays: new Map([...(await readAllOverlays(definition)), ...(options.extra?.overlays ?? [])]),
    brand: await readBrandFiles(definition),
    trees: (await readSources(definition)).trees,
    recipeDigest: (name) => sha256Hex(options.recipes.files.get(name)?.text ?? ''),
  })
  const found = await Promise.all(plans.map((plan) => options.layers.find(plan.key)))
  const layers = found.every((layer) => layer !== undefined)
    ? found
    : await buildMissing(definition, lockfile, platform, plans, found, options)
  return assembleImage(definition, lockfile, platform, layers, options.extra?.config)
}

async function readAllOverlays(definition: Definition): Promise<Map<string, readonly OverlayFile[]>> {
  const overlays = new Map<string, readonly OverlayFile[]>()
  for (const component of definition.components) {
    overlays.set(component.name, await readOverlays(component.rootfs))
  }
  return overlays
}

async function buildMissing(
  definition: Definition,
  lockfile: Lockfile,
  platform: Platform,
  plans: readonly LayerPlan[],
  found: readonly (CachedLayer | undefined)[],
  options: BuildOptions,
): Promise<CachedLayer[]> {
  const trees = await Promise.all(found.map((layer) => layer?.tree()))
  // A layer whose tree is gone is needed again only by a missing layer above it.
  const top = found.lastIndexOf(undefined)
  const missing = plans.filter((_, index) => !found[index] || (index < top && !trees[index]))
  const packages = missing.flatMap((plan) => plan.packages)
  const files = await locateDebs(definition, packages, options.fetch)
  const contents = await readContents(missing)
  const task = `Build ${platform}`
  options.report({ type: 'start', task, total: packages.length, unit: 'items' })
  // Layer by layer, large packages first: the threads then end together.
  const ordered = missing.flatMap((plan) => plan.packages.toSorted((a, b) => b.size - a.size))
  const unpacking = new Map(
    ordered.map((locked) => [
      locked.name,
      unpackLocked(locked, files.get(locked.sha256)!, definition, options).finally(() =>
        options.report({ type: 'advance', task, by: 1 }),
      ),
    ]),
  )
  for (const promise of unpacking.values()) promise.catch(() => {}) // awaited below, layer by layer
  const recipes = parseRecipes(options.recipes)
  const lockDate = Math.floor(Date.parse(lockfile.date) / 1000)
  const lower: ReadonlyMap<string, Entry>[] = []
  const storing: Promise<CachedLayer>[] = []
  for (const [index, plan] of plans.entries()) {
    options.signal.throwIfAborted()
    const cached = found[index]
    const tree = trees[index]
    if (cached && (tree || index > top)) {
      if (tree) lower.push(tree)
      storing.push(Promise.resolve(cached))
      continue
    }
    const unpacked = await Promise.all(plan.packages.map((locked) => unpacking.get(locked.name)!))
    const runs = findRuns(definition, unpacked, recipes)
    const locked = lockfile.platforms[platform]!.runs ?? []
    const under = [...lower]
    const input = {
      definition,
      platform,
      plan,
      packages: unpacked,
      lower: under,
      recipes,
      lockDate,
      contents,
    }
    const built: FileTree =
      runs.size === 0
        ? buildLayer(definition, plan, unpacked, under, recipes, lockDate, contents)
        : await buildRunLayer({ ...options, ...input, locked, below: await Promise.all(storing) }, runs)
    const place = lower.push(built.own) - 1
    for (const { name } of plan.packages) unpacking.delete(name)
    const stored = storeLayer(plan, built, options).then(async (layer) => {
      // Its files are in the cache now: those of a large product need not all be in memory at once.
      lower[place] = (await layer.tree()) ?? lower[place]!
      return layer
    })
    stored.catch(() => {}) // awaited below, with the others
    storing.push(stored)
  }
  const layers = await Promise.all(storing)
  options.report({ type: 'finish', task, detail: `${missing.map((plan) => plan.name).join(', ')}` })
  return layers
}

async function readContents(plans: readonly LayerPlan[]): Promise<SourceContents> {
  const trees = plans.flatMap((plan) => plan.components.flatMap((component) => component.trees))
  return new Map(await Promise.all(trees.map(async (tree) => [tree, await tree.entries()] as const)))
}

/** Unpacks a package; one that went bad in the cache is fetched again, once. */
async function unpackLocked(
  locked: LockedPackage,
  file: string,
  { omit }: Definition,
  options: BuildOptions,
): Promise<LayerPackage> {
  const { sha256 } = locked
  try {
    return { locked, ...(await options.workers.unpack({ file, sha256, omit })) }
  } catch (error) {
    if (errorCode(error) === 'damaged-deb') throw damagedPackage(locked, error as Error)
    if (errorCode(error) !== 'wrong-deb') throw error
    if (locked.suite === localSuite) {
      throw badInput(
        'stale-lock',
        `${locked.path} has changed since it was locked; run: ${commandName()} lock`,
      )
    }
    await options.discard(locked)
    const fresh = (await options.fetch([locked])).get(sha256)!
    return { locked, ...(await options.workers.unpack({ file: fresh, sha256, omit })) }
  }
}

/** The archive itself gives a package of the lock's hash so: only another version helps. */
function damagedPackage({ name, path: pool }: LockedPackage, error: Error): SlipwayError {
  const file = path.posix.basename(pool)
  return new SlipwayError(
    'damaged-deb',
    `${error.message.replace(/^The package file/, file).replace(/\.$/, '')}; its SHA-256 is the lock's, so only another version helps: ${commandName()} lock --update ${name}`,
    { cause: error },
  )
}

async function storeLayer(plan: LayerPlan, tree: FileTree, options: BuildOptions): Promise<CachedLayer> {
  const entries = layerEntries(tree)
  const layer = await assembleLayer(plan.name, entries, options.workers.compress)
  return options.layers.store(plan.key, layer, entries)
}
