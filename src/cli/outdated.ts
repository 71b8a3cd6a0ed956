import path from 'node:path'
import { openArchive } from '../debian/archive.ts'
import { loadDefinition } from '../definition/load.ts'
import { cacheFolder } from '../lib/cache.ts'
import { commandName } from '../lib/command-name.ts'
import { debianArchitecture, type Platform } from '../lib/platform.ts'
import { findOutdated, type OutdatedPackage } from '../lock/outdated.ts'
import { readLock } from '../lock/read-lock.ts'
import type { Context } from './context.ts'

export interface OutdatedOptions {
  readonly directory: string
  readonly json?: boolean
}

/** Reports; that something is outdated is no failure. */
export async function run(context: Context, options: OutdatedOptions): Promise<undefined> {
  const directory = path.resolve(context.cwd, options.directory)
  const definition = await loadDefinition(directory)
  const lock = await readLock(directory)
  const archive = await openArchive(definition.debian, {
    architectures: (Object.keys(lock.platforms) as Platform[]).map(debianArchitecture),
    cache: cacheFolder(context.env),
    env: context.env,
    report: context.report,
    signal: context.signal,
  })
  const outdated = findOutdated(lock, archive, definition.pins)
  if (options.json) {
    context.print(JSON.stringify({ outdated }, null, 2))
    return
  }
  if (outdated.length === 0) {
    context.print('Every locked package is the newest that the archive has.')
    return
  }
  for (const platform of new Set(outdated.map((one) => one.platform))) {
    context.print(`${platform}:`)
    for (const one of outdated.filter((other) => other.platform === platform)) context.print(describe(one))
  }
  context.print(nextCommand(outdated))
}

function describe({ name, version, newest, suite, security, heldBy }: OutdatedPackage): string {
  const fix = security ? ', security' : ''
  const held = heldBy === undefined ? '' : `, held by the pin ${heldBy}`
  return `  ${name} ${version} → ${newest} (${suite}${fix}${held})`
}

function nextCommand(outdated: readonly OutdatedPackage[]): string {
  const free = [...new Set(outdated.filter((one) => one.heldBy === undefined).map(({ name }) => name))]
  if (free.length === 0) return 'Only the pins in appliance.yaml hold these back.'
  return `To move ${free.length === 1 ? 'it' : 'them all'}: ${commandName()} lock --update${free.length === 1 ? ` ${free[0]}` : ''}`
}
