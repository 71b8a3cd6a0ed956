import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { errorCode } from '../lib/errors.ts'
import { isListed } from './port-holder.ts'
import type { HostPort } from './state.ts'

/**
 * Those of `ports` that something on this machine holds already, found by binding each for a moment. Ports that this
 * user may not bind are looked up in the kernel's tables: the installer's container has no capability, and port 53 is low.
 * Addresses that are not this machine's count as free: the Engine will tell.
 */
export async function probePorts(ports: readonly HostPort[]): Promise<HostPort[]> {
  const taken = await Promise.all(ports.map(isTaken))
  return ports.filter((_, index) => taken[index])
}

async function isTaken(port: HostPort): Promise<boolean> {
  try {
    await (port.protocol === 'udp' ? bindUdp(port) : listenTcp(port))
    return false
  } catch (error) {
    if (errorCode(error) !== 'EACCES') return errorCode(error) === 'EADDRINUSE'
    return isListed(port.ip, port.port, port.protocol === 'udp' ? 'udp' : 'tcp')
  }
}

function listenTcp({ ip, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: ip || '0.0.0.0', port, exclusive: true }, () => server.close(() => resolve()))
  })
}

function bindUdp({ ip, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ address: ip || '0.0.0.0', port, exclusive: true }, () => socket.close(() => resolve()))
  })
}
