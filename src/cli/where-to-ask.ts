import path from 'node:path'
import { loadDefinition } from '../definition/load.ts'
import type { Context } from './context.ts'

/** The end of a partner's help: whose product it is, and where to ask. Empty where no product directory is at hand. */
export async function whereToAsk({ cwd, env }: Context): Promise<string> {
  try {
    const { brand, version } = await loadDefinition(path.resolve(cwd, env.SLIPWAY_PRODUCT || '.'))
    return `\n${brand.product} ${version}, by ${brand.vendor}. Help: ${brand.support}`
  } catch {
    return ''
  }
}
