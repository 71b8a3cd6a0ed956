import type { RecipeBook } from '../../debian/recipe.ts'
import { type ScriptToRun, scriptsToRun } from '../../debian/script-match.ts'
import type { Definition } from '../../definition/definition.ts'
import { commandName } from '../../lib/command-name.ts'
import { badInput, SlipwayError } from '../../lib/errors.ts'
import { debianArchitecture, type Platform } from '../../lib/platform.ts'
import type { Report } from '../../lib/progress.ts'
import type { RanScript } from '../../lock/lockfile.ts'
import {
  beginLayer,
  configurationOrder,
  installPackages,
  placeComponents,
  type SourceContents,
  writeDatabase,
} from '../build-layer.ts'
import { addComponentAccounts } from '../component-rules.ts'
import { scriptPath } from '../dpkg-database.ts'
import type { FileTree } from '../file-tree.ts'
import { assembleLayer, layerEntries } from '../layer.ts'
import type { CachedLayer } from '../layer-cache.ts'
import type { LayerPackage } from '../layer-package.ts'
import type { LayerPlan } from '../layer-plan.ts'
import { dropReplaced, noOwners } from '../place-packages.ts'
import { writeTar } from '../tar-writer.ts'
import type { Entry } from '../tree.ts'
import type { Workers } from '../workers.ts'
import { imageSoFar } from './image-so-far.ts'
import { isCaptured, layCaptured } from './lay-captured.ts'
import type { RunStep, ScriptRunner } from './script-runner.ts'

export interface RunLayerInput {
  readonly definition: Definition
  readonly platform: Platform
  readonly plan: LayerPlan
  readonly packages: readonly LayerPackage[]
  readonly lower: readonly ReadonlyMap<string, Entry>[]
  readonly recipes: RecipeBook
  /** Seconds. */
  readonly lockDate: number
  readonly contents: SourceContents
  /** What the lock says that runs. */
  readonly locked: readonly RanScript[]
  /** The finished layers below, bottom first. */
  readonly below: readonly CachedLayer[]
  readonly workers: Pick<Workers, 'compress'>
  readonly runner?: ScriptRunner | undefined
  readonly report: Report
  readonly signal: AbortSignal
}

/** Packages with scripts that their recipes let run, and which; in the order of configuration. */
export function findRuns(
  { accept }: Pick<Definition, 'accept'>,
  packages: readonly LayerPackage[],
  recipes: RecipeBook,
): Map<LayerPackage, readonly ScriptToRun[]> {
  const runs = configurationOrder(packages).map(
    (unpacked) => [unpacked, scriptsToRun(unpacked.locked, unpacked.control, recipes, accept)] as const,
  )
  return new Map(runs.filter(([, scripts]) => scripts.length > 0))
}

/**
 * As `buildLayer`, for a layer with packages whose scripts must run: all the others are installed, a container of the
 * image so far runs every preinst, takes these packages' files, and runs every postinst (Debian Policy 6.5, 6.7); what
 * differs then is laid into the layer, normalised. The components' accounts are there before, so that their ids are
 * those of the definition; their files come last. Throws `stale-lock`, `run-needs-engine`, and what the runner throws.
 */
export async function buildRunLayer(
  input: RunLayerInput,
  runs: ReadonlyMap<LayerPackage, readonly ScriptToRun[]>,
): Promise<FileTree> {
  const { definition, platform, plan, packages, recipes, runner } = input
  refuseUnlocked(runs, input.locked)
  const names = [...runs.keys()].map(({ locked }) => locked.name)
  if (!runner) {
    throw new SlipwayError(
      'run-needs-engine',
      `Maintainer scripts of ${names.join(', ')} must run, which takes a Docker Engine on a ${debianArchitecture(platform)} machine; run ${commandName()} build where there is one.`,
    )
  }
  const { tree, context } = beginLayer(definition, packages, input.lower, input.lockDate)
  const owners = noOwners()
  const others = packages.filter((unpacked) => !runs.has(unpacked))
  installPackages(definition, tree, others, recipes, context, owners)
  for (const { component } of plan.components) addComponentAccounts(tree, component, context)
  writeDatabase(definition, tree, packages, plan)
  const before = layerEntries(tree)
  const top = await assembleLayer(plan.name, before, input.workers.compress)

  installPackages(definition, tree, [...runs.keys()], recipes, context, owners)
  dropReplaced(tree, owners)
  const known = new Set(before)
  const added = layerEntries(tree).filter((entry) => !known.has(entry))
  const scripts = (kind: ScriptToRun['script']): RunStep[] =>
    [...runs].flatMap(([unpacked, list]) =>
      list.filter(({ script }) => script === kind).map(() => scriptStep(unpacked, kind, platform, tree.date)),
    )
  const files: RunStep = { kind: 'files', tar: Buffer.concat(writeTar(added)) }
  const captured = await runner.run({
    image: imageSoFar(platform, input.below, top),
    steps: [...scripts('preinst'), files, ...scripts('postinst')],
    wanted: isCaptured,
    report: input.report,
    signal: input.signal,
  })
  layCaptured(tree, captured, context.day)
  placeComponents(tree, plan, input.contents, context)
  return tree
}

/** The environment that dpkg gives a script (dpkg(1), "ENVIRONMENT"), and nothing of this machine. */
function scriptStep(
  { locked, control }: LayerPackage,
  script: ScriptToRun['script'],
  platform: Platform,
  date: number,
): RunStep {
  return {
    kind: 'script',
    title: `the ${script} of ${locked.name} ${locked.version}`,
    command: [scriptPath(control, script), ...(script === 'preinst' ? ['install'] : ['configure', ''])],
    env: {
      DEBIAN_FRONTEND: 'noninteractive',
      DEBCONF_NONINTERACTIVE_SEEN: 'true',
      DPKG_ADMINDIR: '/var/lib/dpkg',
      DPKG_MAINTSCRIPT_ARCH: debianArchitecture(platform),
      DPKG_MAINTSCRIPT_NAME: script,
      DPKG_MAINTSCRIPT_PACKAGE: locked.name,
      DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT: '1',
      DPKG_ROOT: '',
      HOME: '/root',
      LC_ALL: 'C.UTF-8',
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      SOURCE_DATE_EPOCH: String(date),
      TZ: 'UTC',
    },
  }
}

function refuseUnlocked(
  runs: ReadonlyMap<LayerPackage, readonly ScriptToRun[]>,
  locked: readonly RanScript[],
): void {
  for (const [{ locked: subject }, scripts] of runs) {
    for (const { script, sha256 } of scripts) {
      const isLocked = locked.some(
        (one) => one.package === subject.name && one.script === script && one.sha256 === sha256,
      )
      if (isLocked) continue
      throw badInput(
        'stale-lock',
        `appliance.lock does not say that the ${script} of ${subject.name} ${subject.version} runs while building. Bring it up to date: ${commandName()} lock`,
      )
    }
  }
}
