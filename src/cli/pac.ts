import os from 'node:os'
import path from 'node:path'
import { connectEngine } from '../engine/connect.ts'
import { clientAccess, hostAddresses } from '../host/client-access.ts'
import { pacFile } from '../host/pac-file.ts'
import { readServiceAccess } from '../host/service-access.ts'
import { writeFileAtomic } from '../lib/atomic.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, SlipwayError } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { chooseAppliance } from './host-name.ts'

export interface PacOptions {
  readonly directory: string
  readonly name?: string
  readonly address?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Prints a PAC file that sends browsers through the appliance, or writes it. */
export async function run(context: Context, options: PacOptions, [file]: string[]): Promise<undefined> {
  const { address } = options
  if (address !== undefined && !/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9a-fA-F:]+$/.test(address))
    throw badInput(
      'bad-address',
      `--address ${address} is no host name and no address; say what clients reach.`,
    )
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const services = await readServiceAccess(engine, name)
  const addresses =
    address === undefined ? hostAddresses(engine.endpoint, context.env, os.networkInterfaces()) : [address]
  const { proxies } = clientAccess(services, addresses, address !== undefined)
  if (proxies.length === 0) {
    throw new SlipwayError(
      'no-proxy',
      `Nothing of ${name} on this host serves browsers as a proxy; see what runs with: ${commandName()} status --name ${name}`,
    )
  }
  const text = pacFile(proxies.slice(0, 1), name)
  const target = file === undefined ? undefined : path.resolve(context.cwd, file)
  if (target !== undefined && !options.dryRun) await writeFileAtomic(target, text)
  if (options.json) {
    const written = target !== undefined && !options.dryRun ? { file: target } : {}
    context.print(JSON.stringify({ name, proxies, ...written, pac: text }, null, 2))
  } else if (target === undefined || options.dryRun) context.print(text.trimEnd())
  else context.print(`${target} sends browsers through ${proxies[0]}, and directly when that is away.`)
}
