import path from 'node:path'
import { localSuite } from '../definition/sources/source.ts'
import type { Platform } from '../lib/platform.ts'
import { readLock } from '../lock/read-lock.ts'
import { explainWhy, type Why } from '../lock/why.ts'
import type { Context } from './context.ts'
import { choosePlatforms } from './platform-option.ts'

export interface WhyOptions {
  readonly directory: string
  readonly platform?: string
  readonly json?: boolean
}

export async function run(context: Context, options: WhyOptions, [name]: string[]): Promise<undefined> {
  const lock = await readLock(path.resolve(context.cwd, options.directory))
  const known = Object.keys(lock.platforms) as Platform[]
  const [platform] = choosePlatforms(options.platform === undefined ? undefined : [options.platform], known)
  const why = explainWhy(lock, platform!, name!)
  if (options.json) {
    context.print(JSON.stringify(why, null, 2))
    return
  }
  for (const line of describe(why)) context.print(line)
}

function describe({ platform, name, locked, runs = [], source, excluded, chains }: Why): string[] {
  const lead = excluded ? 'would come by: ' : ''
  return [
    locked
      ? `${name} ${locked.version} (${platform}, layer ${locked.layer}, from ${locked.suite === localSuite ? locked.path : locked.suite})`
      : source
        ? `${source.path} (${platform}, layer ${source.layer}, a ${source.kind} of the product, sha256 ${source.sha256})`
        : `${name} is left out (${platform}): ${excluded!.reason}`,
    ...runs.map(({ script, sha256 }) => `  its ${script} runs while building, sha256 ${sha256}`),
    ...chains.map(({ component, packages }) => `  ${lead}${[component, ...packages].join(' → ')}`),
  ]
}
