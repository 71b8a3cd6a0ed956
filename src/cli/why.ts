import path from 'node:path'
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

function describe({ platform, name, locked, excluded, chains }: Why): string[] {
  const head = locked
    ? `${name} ${locked.version} (${platform}, layer ${locked.layer}, from ${locked.suite})`
    : `${name} is left out (${platform}): ${excluded!.reason}`
  const lead = locked ? '' : 'would come by: '
  return [
    head,
    ...chains.map(({ component, packages }) => `  ${lead}${[component, ...packages].join(' → ')}`),
  ]
}
