import type { ContainerDocument } from '../../engine/documents.ts'
import type { Engine } from '../../engine/engine.ts'
import { commandName } from '../../lib/command-name.ts'
import { SlipwayError } from '../../lib/errors.ts'
import type { Endpoint } from './client.ts'

/** Where a client on the Docker host reaches an installed appliance, and how the appliance reaches the host. */
export interface ApplianceAccess {
  /** Published port of the DNS cache, and its container. */
  readonly names: Endpoint
  readonly namesContainer: string
  /** Published port of the optimiser. */
  readonly proxy: Endpoint
  /** The host's address on the appliance's network. */
  readonly gateway: string
}

export const dnsPort = '53/udp'
export const proxyPort = '3128/tcp'

/** Looks at the running containers of one Compose project. Throws `not-installed`, `port-not-published`. */
export async function findAppliance(engine: Engine, project: string): Promise<ApplianceAccess> {
  const summaries = await engine.containers.list({ 'com.docker.compose.project': project })
  const documents: ContainerDocument[] = []
  for (const { id, state } of summaries) {
    const document = state === 'running' ? await engine.containers.inspect(id) : undefined
    if (document) documents.push(document)
  }
  return readAccess(documents, project)
}

/** Finds the two services by the ports that their containers publish. */
export function readAccess(documents: readonly ContainerDocument[], project: string): ApplianceAccess {
  if (documents.length === 0)
    throw new SlipwayError(
      'not-installed',
      `No container of ${project} runs here; start it with: ${commandName()} install.`,
    )
  const names = findPublished(documents, dnsPort, project)
  const proxy = findPublished(documents, proxyPort, project)
  const networks = Object.values(proxy.document.NetworkSettings.Networks)
  const gateway = networks.map((network) => network.Gateway).find((address) => address)
  if (!gateway)
    throw new SlipwayError(
      'no-gateway',
      `The network of ${project} has no gateway, so its containers cannot reach the simulated link on this host; install it with a bridge network.`,
    )
  return { names: names.endpoint, namesContainer: names.document.Id, proxy: proxy.endpoint, gateway }
}

function findPublished(
  documents: readonly ContainerDocument[],
  port: string,
  project: string,
): { document: ContainerDocument; endpoint: Endpoint } {
  for (const document of documents) {
    const binding = document.HostConfig.PortBindings?.[port]?.[0]
    if (!binding?.HostPort) continue
    const everywhere = ['', '0.0.0.0', '::'].includes(binding.HostIp)
    const address = everywhere ? '127.0.0.1' : binding.HostIp
    return { document, endpoint: { address, port: Number(binding.HostPort) } }
  }
  throw new SlipwayError(
    'port-not-published',
    `No running container of ${project} publishes ${port}; give the profile a port for it, then run: ${commandName()} install.`,
  )
}
