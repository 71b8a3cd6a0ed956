import os from 'node:os'
import path from 'node:path'
import { loadDefinition } from '../definition/load.ts'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { describePlan } from '../host/describe-plan.ts'
import { appliancesOf } from '../host/inspect.ts'
import { type Collector, collectAll } from '../host/support/collect.ts'
import { engineCollectors } from '../host/support/engine-collectors.ts'
import { machineCollectors } from '../host/support/machine-collectors.ts'
import { type BundleManifest, bundleManifest, writeBundle } from '../host/support/write-bundle.ts'
import { formatBytes } from '../lib/bytes.ts'
import { commandName } from '../lib/command-name.ts'
import { errorCode, SlipwayError } from '../lib/errors.ts'
import { checkName } from './appliance-name.ts'
import type { Context } from './context.ts'
import { chooseAppliance, containersInSight } from './host-name.ts'
import { prepareInstall } from './host-plan.ts'
import { packageVersion } from './package-version.ts'

export interface SupportBundleOptions {
  readonly directory: string
  readonly name?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Milliseconds to wait for an Engine. */
const patience = 10_000

/** Collects what support needs to see of an appliance into one file, without its secrets. */
export async function run(
  context: Context,
  options: SupportBundleOptions,
  [to]: string[],
): Promise<undefined> {
  if (options.name !== undefined) checkName(options.name)
  const engine = await reachEngine(context)
  const name = await findName(context, engine, options)
  const created = new Date().toISOString()
  const base = `${name}-support-${created.replaceAll(/[-:]|\.\d+/g, '')}`
  const file = path.resolve(context.cwd, to ?? `${base}.tar.gz`)
  const reach = async (): Promise<Engine> => {
    if (engine instanceof Error) throw engine
    return engine
  }
  const collectors = [
    ...machineCollectors(packageVersion(), [path.dirname(file), os.tmpdir()]),
    ...engineCollectors(reach, name),
    ...productCollectors(context, { ...options, name }),
  ]
  if (options.dryRun) {
    const names = collectors.map((one) => one.name)
    if (options.json) context.print(JSON.stringify({ file, name, collectors: names }, null, 2))
    else context.print(`${file} would hold what these find: ${names.join(', ')}.`)
    endSoon()
    return
  }
  const task = 'collect evidence'
  context.report({ type: 'start', task, total: collectors.length, unit: 'items' })
  const results = await collectAll(
    collectors.map((one) => ({
      ...one,
      collect: (signal) =>
        one.collect(signal).finally(() => context.report({ type: 'advance', task, by: 1 })),
    })),
  )
  context.report({ type: 'finish', task })
  context.signal.throwIfAborted()
  const manifest = bundleManifest(name, created, results)
  await writeBundle(file, base, manifest, results)
  if (options.json) context.print(JSON.stringify({ file, ...manifest }, null, 2))
  else {
    for (const line of describe(manifest)) context.print(line)
    context.print(`${file} is what support needs to see; look through it before you send it.`)
  }
  if (results.some(({ outcome }) => outcome === 'timed out')) endSoon()
}

/** A line for each collector that has something, and one for each reason why others have nothing. */
function describe({ collectors }: BundleManifest): string[] {
  const missing = new Map<string, string[]>()
  const lines: string[] = []
  for (const { name, files, reason } of collectors) {
    if (reason !== undefined) {
      missing.set(reason, [...(missing.get(reason) ?? []), name])
      continue
    }
    const size = formatBytes(files.reduce((sum, one) => sum + one.size, 0))
    const taken = files.reduce((sum, { redactions }) => sum + redactions, 0)
    const secrets = taken > 0 ? `, ${taken} ${taken === 1 ? 'secret' : 'secrets'} taken out` : ''
    lines.push(`${name.padEnd(9)} ${size}${secrets}`)
  }
  return [...lines, ...[...missing].map(([reason, names]) => `without ${names.join(', ')}: ${reason}`)]
}

/** The Engine, or why there is none. */
function reachEngine(context: Context): Promise<Engine | Error> {
  return inTime(connectEngine(context.env)).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  )
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new SlipwayError('engine-slow', `The Docker Engine did not answer in ${patience / 1000} s.`)),
      patience,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Without an Engine that answers: what the command says, else the product of the folder. */
async function findName(
  context: Context,
  engine: Engine | Error,
  options: SupportBundleOptions,
): Promise<string> {
  if (options.name !== undefined) return options.name
  try {
    if (
      !(engine instanceof Error) &&
      appliancesOf(await inTime(containersInSight(context, engine, options))).length > 0
    )
      return await inTime(chooseAppliance(context, engine, options))
  } catch (error) {
    // An Engine may tell its version and hang at its containers: that is what the bundle is to show.
    if (errorCode(error) === 'no-name') throw error
  }
  const definition = await loadDefinition(path.resolve(context.cwd, options.directory)).catch(() => undefined)
  return definition?.name ?? commandName()
}

/** What did not answer in time must not keep this process. */
function endSoon(): void {
  setTimeout(() => process.exit(), 100).unref()
}

/** What the product directory says, and what an install from it would change. */
function productCollectors(
  context: Context,
  options: SupportBundleOptions & { readonly name: string },
): Collector[] {
  return [
    {
      name: 'product',
      budget: 10_000,
      collect: async () => {
        const definition = await loadDefinition(path.resolve(context.cwd, options.directory))
        const { name, version, platforms, layers, pins, brand, directory } = definition
        return [{ path: 'product.json', value: { directory, name, version, platforms, layers, pins, brand } }]
      },
    },
    {
      name: 'plan',
      budget: 30_000,
      collect: async () => {
        const { target, settings, steps } = await prepareInstall(context, options, undefined)
        const { product, release } = target
        return [
          { path: 'plan.json', value: { product, release, settings, changes: describePlan(steps), steps } },
        ]
      },
    },
  ]
}
