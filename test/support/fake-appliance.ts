import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ApplianceAccess } from '../../src/cli/demo/appliance-access.ts'
import { decodeAnswer, decodeQuery, encodeAnswer } from '../../src/cli/demo/dns-message.ts'
import type { Engine } from '../../src/engine/engine.ts'

export interface FakeAppliance {
  readonly access: ApplianceAccess
  /** Only what a proof calls: exec of cat and sh, and kill. */
  readonly engine: Engine
  /** The text of the DNS cache's servers file. */
  readonly servers: () => string
  readonly close: () => Promise<void>
}

export interface Faults {
  /** The proxy asks the far end each time. */
  readonly forgetsObjects?: boolean
  /** The proxy changes a byte of what it keeps. */
  readonly altersObjects?: boolean
  readonly forgetsNames?: boolean
}

/** A caching proxy and a caching forwarder in this process, for the proof's own logic. */
export async function openFakeAppliance(faults: Faults = {}): Promise<FakeAppliance> {
  let servers = 'server=/other.example/192.0.2.1#53\n'
  let forward: { readonly zone: string; readonly address: string; readonly port: number } | undefined
  const objects = new Map<string, Buffer>()
  const known = new Map<string, string>()

  const proxy = createServer((request, response) => {
    const url = request.url ?? ''
    const kept = faults.forgetsObjects ? undefined : objects.get(url)
    if (kept) return void response.writeHead(200, { 'x-cache': 'HIT from fake' }).end(kept)
    get(url, async (upstream) => {
      const body = Buffer.concat(await upstream.toArray())
      const copy = Buffer.from(body)
      if (faults.altersObjects) copy[0] = copy[0]! ^ 1
      objects.set(url, copy)
      response.writeHead(upstream.statusCode ?? 502, { 'x-cache': 'MISS from fake' }).end(body)
    })
  })
  const names = createSocket('udp4', (message, client) => {
    const question = decodeQuery(message)
    if (!question) return
    const answer = (address: string | undefined): void => {
      names.send(encodeAnswer(question, address, 60), client.port, client.address)
    }
    const kept = faults.forgetsNames ? undefined : known.get(question.name)
    if (kept || !forward || !question.name.endsWith(`.${forward.zone}`)) return answer(kept)
    const upstream = createSocket('udp4', (reply) => {
      upstream.close()
      const address = decodeAnswer(reply)?.addresses[0]
      if (address) known.set(question.name, address)
      answer(address)
    })
    upstream.send(message, forward.port, forward.address)
  })
  proxy.listen(0, '127.0.0.1')
  names.bind(0, '127.0.0.1')
  await Promise.all([once(proxy, 'listening'), once(names, 'listening')])

  const containers = {
    exec: async (_container: string, command: readonly string[]) => {
      if (command[0] === 'cat') return { exitCode: 0, stdout: servers, stderr: '' }
      servers = command.at(-1) ?? ''
      return { exitCode: 0, stdout: '', stderr: '' }
    },
    kill: async () => {
      const [, zone, address, port] = /^server=\/(wan\.example)\/(.+)#(\d+)$/m.exec(servers) ?? []
      forward = zone && address ? { zone, address, port: Number(port) } : undefined
    },
  }
  return {
    access: {
      names: { address: '127.0.0.1', port: names.address().port },
      namesContainer: 'fake-dns',
      proxy: { address: '127.0.0.1', port: (proxy.address() as AddressInfo).port },
      gateway: '127.0.0.1',
    },
    engine: { containers } as unknown as Engine,
    servers: () => servers,
    close: async () => {
      const closed = [once(proxy, 'close'), once(names, 'close')]
      proxy.close()
      proxy.closeAllConnections()
      names.close()
      await Promise.all(closed)
    },
  }
}
