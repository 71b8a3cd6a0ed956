import path from 'node:path'
import { loadDefinition } from '../definition/load.ts'
import { checkImage } from '../image/check.ts'
import { openImage } from '../image/image-files.ts'
import { layoutPlatforms, readLayout } from '../image/read-layout.ts'
import { exitCodes } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { choosePlatforms } from './platform-option.ts'

export interface TestOptions {
  readonly directory: string
  readonly platform?: readonly string[]
  readonly json?: boolean
}

/** Runs the definition's checks on a built layout, without Docker; exit code 1 where one does not hold. */
export async function run(context: Context, options: TestOptions, args: readonly string[]): Promise<number> {
  const directory = path.resolve(context.cwd, options.directory)
  const definition = await loadDefinition(directory)
  const layout = args[0] ? path.resolve(context.cwd, args[0]) : path.join(directory, 'build')
  const checks = [...definition.checks, ...definition.components.flatMap((component) => component.checks)]
  const results = []
  const built = await layoutPlatforms(layout)
  const present = definition.platforms.filter((platform) => built.has(platform))
  const platforms =
    options.platform || present.length === 0
      ? choosePlatforms(options.platform, definition.platforms)
      : present
  for (const platform of platforms) {
    const image = await openImage(await readLayout(layout, platform))
    results.push({ platform, checks: checkImage(image, checks) })
  }
  const failed = results
    .flatMap((result) => result.checks)
    .filter((check) => check.failure !== undefined).length
  if (options.json) context.print(JSON.stringify({ failed, platforms: results }, null, 2))
  else {
    for (const { platform, checks } of results) {
      context.print(platform)
      for (const { title, failure } of checks) {
        context.print(failure === undefined ? `  ✔ ${title}` : `  ✘ ${title}: ${failure}`)
      }
    }
    context.print(
      failed === 0
        ? 'Every check holds.'
        : `${failed} ${failed === 1 ? 'check does' : 'checks do'} not hold.`,
    )
  }
  return failed === 0 ? exitCodes.done : exitCodes.failed
}
