import path from 'node:path'
import type { Engine } from '../engine/engine.ts'
import { listAppliances } from '../host/inspect.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, errorCode } from '../lib/errors.ts'
import { checkName } from './appliance-name.ts'
import type { Context } from './context.ts'

/**
 * Which appliance a host verb is about: `--name`, else the only one on the Engine, else that of the product directory
 * in which the command was typed.
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
  const names = await listAppliances(engine)
  if (names.length === 1) return names[0]!
  const own = await productName(path.resolve(context.cwd, options.directory))
  if (own !== undefined && (names.length === 0 || names.includes(own))) return own
  throw badInput(
    'no-name',
    names.length === 0
      ? `This host holds no appliance; \`${commandName()} install\` puts one there.`
      : `This host holds several appliances; say which with --name: ${names.join(', ')}.`,
  )
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
