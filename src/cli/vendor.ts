import path from 'node:path'
import { type DebFile, debFileName } from '../debian/deb-file.ts'
import { discardDeb, fetchDebs } from '../debian/deb-store.ts'
import { applyVendor, planVendor, type VendorPlan } from '../debian/vendor-folder.ts'
import { loadDefinition } from '../definition/load.ts'
import { localSuite } from '../definition/sources/source.ts'
import { formatBytes } from '../lib/bytes.ts'
import { cacheFolder } from '../lib/cache.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { isFile } from '../lib/is-file.ts'
import type { Platform } from '../lib/platform.ts'
import { allPackages } from '../lock/installer.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import { requireLock } from '../lock/require-lock.ts'
import type { Context } from './context.ts'
import { choosePlatforms } from './platform-option.ts'

export interface VendorOptions {
  readonly directory: string
  readonly platform?: readonly string[]
  readonly prune?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `slipway vendor [DIR]`: keeps every locked .deb in a folder, from which a build opens no connection. */
export async function run(
  context: Context,
  options: VendorOptions,
  args: readonly string[],
): Promise<undefined> {
  const directory = path.resolve(context.cwd, options.directory)
  const folder = args[0] === undefined ? path.join(directory, 'vendor') : path.resolve(context.cwd, args[0])
  if (await isFile(folder)) {
    throw badInput(
      'not-a-folder',
      `${folder} is a file; name a folder for the packages: ${commandName()} vendor DIR`,
    )
  }
  const definition = await loadDefinition(directory)
  const debs = lockedDebs(
    await requireLock(definition),
    choosePlatforms(options.platform, definition.platforms),
  )
  const { signal, report, env } = context
  const plan = await planVendor(folder, debs, { prune: options.prune ?? false, signal })

  if (!options.dryRun) {
    const store = { cache: cacheFolder(env), env, report, signal }
    const files = await fetchDebs([...plan.added, ...plan.replaced], definition.debian, store)
    await applyVendor(folder, plan, files, async (deb) => {
      await discardDeb(deb, store)
      return (await fetchDebs([deb], definition.debian, store)).get(deb.sha256)!
    })
  }
  for (const line of options.json
    ? [formatJson(folder, plan)]
    : formatPlan(folder, plan, options.dryRun ?? false)) {
    context.print(line)
  }
}

function lockedDebs(lockfile: Lockfile, platforms: readonly Platform[]): DebFile[] {
  const packages = platforms
    .flatMap((platform) => allPackages(lockfile, platform))
    .filter(({ suite }) => suite !== localSuite) // the product directory has them
  return [...new Map(packages.map((locked) => [locked.sha256, locked])).values()]
}

function formatPlan(folder: string, plan: VendorPlan, dryRun: boolean): string[] {
  const changes = [
    ...plan.added.map((deb) => `  + ${debFileName(deb)} (${formatBytes(deb.size)})`),
    ...plan.replaced.map((deb) => `  ~ ${debFileName(deb)} (had other bytes)`),
    ...plan.removed.map((name) => `  - ${name}`),
  ]
  const all = [...plan.kept, ...plan.added, ...plan.replaced]
  const bytes = formatBytes(all.reduce((sum, deb) => sum + deb.size, 0))
  const count = `${all.length} packages, ${bytes}`
  if (changes.length === 0) return [`${folder} holds what is locked: ${count}.`]
  return [...changes, dryRun ? `${folder} would hold ${count}.` : `${folder} holds what is locked: ${count}.`]
}

function formatJson(folder: string, plan: VendorPlan): string {
  const names = (debs: readonly DebFile[]) => debs.map(debFileName)
  return JSON.stringify(
    {
      folder,
      kept: names(plan.kept),
      added: names(plan.added),
      replaced: names(plan.replaced),
      removed: plan.removed,
    },
    undefined,
    2,
  )
}
