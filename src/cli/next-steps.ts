import os from 'node:os'
import type { Engine } from '../engine/engine.ts'
import { type ClientAccess, clientAccess, hostAddresses } from '../host/client-access.ts'
import { pacFile } from '../host/pac-file.ts'
import type { ServiceAccess } from '../host/service-access.ts'
import { commandName } from '../lib/command-name.ts'
import type { Context } from './context.ts'
import { showPort } from './port-text.ts'

/** What whoever installed it needs next. */
export interface NextSteps {
  readonly clients: ClientAccess
  /** The text of a PAC file; absent where nothing serves as a proxy. */
  readonly pac?: string
  /** What to type: to see how it fares, to write the PAC file, to undo the install. */
  readonly commands: { readonly status: string; readonly pac?: string; readonly undo: string }
}

export function nextSteps(
  context: Context,
  engine: Engine,
  name: string,
  services: readonly ServiceAccess[],
): NextSteps {
  const addresses = hostAddresses(engine.endpoint, context.env, os.networkInterfaces())
  const clients = clientAccess(services, addresses)
  const hasProxy = clients.proxies.length > 0
  const command = commandName(context.env)
  return {
    clients,
    ...(hasProxy && { pac: pacFile(clients.proxies.slice(0, 1), name) }),
    commands: {
      status: `${command} status --name ${name}`,
      ...(hasProxy && { pac: `${command} pac ${name}.pac --name ${name}` }),
      undo: `${command} uninstall --name ${name}`,
    },
  }
}

/** Says where the services are, what to give to clients, and what to type next. */
export function printNextSteps(
  context: Context,
  title: string,
  services: readonly ServiceAccess[],
  { clients, commands }: NextSteps,
): void {
  context.print(`${title} is up on ${clients.addresses[0]}:`)
  const width = Math.max(0, ...services.map((one) => one.service.length))
  for (const { service, ports, health } of services) {
    const where = ports.map(showPort).join(', ') || 'no published port'
    context.print(`  ${service.padEnd(width)}  ${where}${health === 'none' ? '' : `  (${health})`}`)
  }
  if (clients.nameServers.length > 0)
    context.print(`Clients' name server: ${clients.nameServers[0]!.replace(/:53$/, '')}`)
  if (clients.proxies.length > 0) {
    context.print(`Clients' proxy: ${clients.proxies[0]}`)
    context.print(`A PAC file for browsers, which go directly when it is away: ${commands.pac}`)
  }
  context.print(`Next: ${commands.status} · ${commands.undo}`)
}
