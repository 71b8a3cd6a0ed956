import { connectEngine } from '../engine/connect.ts'
import type { DriftedPath } from '../host/drift.ts'
import { notInstalled } from '../host/not-installed.ts'
import { readDrift, type ServiceDrift } from '../host/read-drift.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, exitCodes } from '../lib/errors.ts'
import { plainText } from '../lib/plain-text.ts'
import type { Context } from './context.ts'
import { chooseAppliance } from './host-name.ts'

export interface DriftOptions {
  readonly directory: string
  readonly name?: string
  readonly service?: string
  readonly diff?: boolean
  readonly json?: boolean
}

/** Exit code 1 where something changed that was not to be expected, so that a monitor can ask. */
export async function run(context: Context, options: DriftOptions): Promise<number> {
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const services = await readDrift(engine, name, {
    ...(options.diff && { diff: true }),
    ...(options.service !== undefined && { service: options.service }),
  })
  if (services.length === 0) throw noSuchService(name, options.service)
  const unexpected = services.flatMap(({ paths }) => paths).filter((one) => one.class !== 'expected').length
  if (options.json) context.print(JSON.stringify({ name, unexpected, services }, null, 2))
  else printDrift(context, name, services, unexpected)
  return unexpected === 0 ? exitCodes.done : exitCodes.failed
}

/** Nothing to look at: exit code 2, with what to type. */
export function noSuchService(name: string, service: string | undefined): Error {
  return badInput(
    'no-such-service',
    service === undefined
      ? notInstalled(name)
      : `${name} has no service ${service} on this host; \`${commandName()} status --name ${name}\` lists them.`,
  )
}

function printDrift(
  context: Context,
  name: string,
  services: readonly ServiceDrift[],
  unexpected: number,
): void {
  for (const { service, paths } of services) {
    for (const one of paths) {
      // Whoever got into a container chooses names and content of its files.
      context.print(`${signs[one.kind]} ${service} ${plainText(one.path)}   ${explain(one)}`)
      for (const line of one.diff ?? []) context.print(`    ${plainText(line)}`)
    }
  }
  if (unexpected === 0) {
    context.print(`${name} is as its image made it.`)
    return
  }
  context.print(
    `${unexpected === 1 ? 'One path' : `${unexpected} paths`} changed that should not; \`${commandName()} restore-file PATH\` puts one file back, \`${commandName()} reset clean\` all.`,
  )
}

const signs = { added: '+', modified: '~', deleted: '-' } as const

function explain(one: DriftedPath): string {
  if (one.class === 'pinned') return `${one.kind}, of the pinned library ${one.package}`
  return one.class === 'expected' ? `${one.kind}, as expected` : one.kind
}
