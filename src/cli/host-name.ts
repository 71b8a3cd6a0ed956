import path from 'node:path'
import type { ContainerSummary } from '../engine/containers-port.ts'
import type { Engine } from '../engine/engine.ts'
import { listAppliances } from '../host/inspect.ts'
import { ownLabels } from '../host/labels.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, errorCode } from '../lib/errors.ts'
import { checkName } from './appliance-name.ts'
import type { Context } from './context.ts'

/**
 * Which appliance a host verb is about: `--name`, else the only one on the Engine, else the only one of the product in
 * whose directory the command was typed, else the one that is called as that product. A partner's own command never
 * takes an appliance of another product unless it is named.
 */
export async function chooseAppliance(
  context: Context,
  engine: Engine,
  options: { readonly name?: string; readonly directory: string },
): Promise<string> {
  if (options.name !== undefined) {
    checkName(options.name)
    return options.name
  }
  const product = await productName(path.resolve(context.cwd, options.directory))
  const names = await listAppliances(engine, isBranded(context) ? product : undefined)
  if (names.length === 1) return names[0]!
  if (product !== undefined) {
    if (names.length === 0 || names.includes(product)) return product
    const own = await listAppliances(engine, product)
    if (own.length === 1) return own[0]!
  }
  throw badInput(
    'no-name',
    names.length === 0
      ? `This host holds no appliance; \`${commandName()} install\` puts one there.`
      : `This host holds several appliances; say which with --name: ${names.join(', ')}.`,
  )
}

/** The containers that are shown where no appliance is named: a partner's own command shows its product's. */
export async function containersInSight(
  context: Context,
  engine: Engine,
  { directory }: { readonly directory: string },
): Promise<ContainerSummary[]> {
  const product = isBranded(context) ? await productName(path.resolve(context.cwd, directory)) : undefined
  return engine.containers.list(product === undefined ? {} : { [ownLabels.product]: product })
}

function isBranded({ env }: Context): boolean {
  return env.SLIPWAY_COMMAND !== undefined
}

async function productName(directory: string): Promise<string | undefined> {
  // Only here: what most verbs never ask need not be loaded.
  const { loadDefinition } = await import('../definition/load.ts')
  try {
    return (await loadDefinition(directory)).name
  } catch (error) {
    if (errorCode(error) !== undefined) return undefined
    throw error
  }
}
