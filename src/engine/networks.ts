import type Docker from 'dockerode'
import { compareBytes } from '../lib/compare-bytes.ts'
import type { Call } from './call.ts'
import type { NetworkDocument } from './documents.ts'
import type { Networks } from './engine.ts'
import { unlessNotFound } from './errors.ts'

export function networksOf(docker: Docker, call: Call): Networks {
  return {
    list: () =>
      call(async () =>
        (await docker.listNetworks())
          .map(read)
          .sort((a, b) => compareBytes(a.Name, b.Name) || compareBytes(a.Id, b.Id)),
      ),
    inspect: (network) =>
      call(() => unlessNotFound(async () => read(await docker.getNetwork(network).inspect()))),
    create: (spec) =>
      call(async () => {
        const network = await docker.createNetwork({
          Name: spec.name,
          CheckDuplicate: true,
          Driver: spec.driver,
          Internal: spec.internal,
          Attachable: spec.attachable,
          EnableIPv6: spec.ipv6,
          Options: { ...spec.options },
          Labels: { ...spec.labels },
          ...(spec.pools.length > 0 ? { IPAM: { Driver: 'default', Config: spec.pools.map(pool) } } : {}),
        })
        return network.id
      }),
    remove: (network) => call(async () => void (await docker.getNetwork(network).remove())),
  }
}

function pool({ subnet, gateway }: { subnet: string; gateway?: string }): { [key: string]: string } {
  return { Subnet: subnet, ...(gateway ? { Gateway: gateway } : {}) }
}

function read({ Id, Name, Driver, Labels }: Docker.NetworkInspectInfo): NetworkDocument {
  return { Id, Name, Driver, Labels: Labels ?? null }
}
