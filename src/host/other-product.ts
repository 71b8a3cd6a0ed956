import { commandName } from '../lib/command-name.ts'
import { exitCodes, SlipwayError } from '../lib/errors.ts'
import type { HostState } from './state.ts'

/**
 * Refuses to put a product in the place of another one of that name on the host, containers or kept data, unless
 * `replaces` names the one that is there. Throws `other-product`, exit code 3.
 */
export function refuseOtherProduct(current: HostState, product: string, replaces: string | undefined): void {
  const found = presentProducts(current).find((one) => one !== product && one !== replaces)
  if (found === undefined) return
  const { name } = current
  throw new SlipwayError(
    'other-product',
    `${name} is the product ${found} on this host, and ${product} would come in its place and take over its data; choose another --name, \`${commandName()} uninstall --name ${name}\` first, or add --replace ${found} where that is what you want.`,
    { exitCode: exitCodes.preflightFailed },
  )
}

/** Of its containers; where all are gone, of the volumes that were kept, whose labels tell of whoever made them. */
function presentProducts({ containers, volumes }: HostState): string[] {
  const bearers = containers.length > 0 ? containers : volumes
  return bearers.flatMap(({ product }) => (product === undefined ? [] : [product]))
}
