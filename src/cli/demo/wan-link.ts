import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createLine, type LinkSpeed } from './line.ts'

export interface WanLink {
  /** Where the near end listens; TCP and UDP are relayed to the two origins at the far end. */
  readonly address: string
  readonly tcpPort: number
  readonly udpPort: number
  readonly close: () => Promise<void>
}

export interface WanLinkOptions {
  readonly speed: LinkSpeed
  /** Address to listen on. */
  readonly address: string
  /** Ports on the loopback where the far end's servers are. */
  readonly tcpTarget: number
  readonly udpTarget: number
}

/** A router's queue: a sender is held back when more than this waits to leave. */
const queueMilliseconds = 100
/** Longer pieces would arrive all at once at the end of their transmission. */
const pieceBytes = 8 * 1024
const udpAnswerMilliseconds = 10_000

/**
 * A WAN link in user space: relays TCP and UDP, delaying each byte by the link's latency and sharing its rate among all
 * connections, each direction for itself. A new TCP connection costs one round trip before its first byte leaves, as
 * on a true link; loss and TCP's slow start are not imitated, so a true link is slower.
 */
export async function openWanLink(options: WanLinkOptions): Promise<WanLink> {
  const up = createDirection(options.speed)
  const down = createDirection(options.speed)
  const sockets = new Set<Socket>()
  const datagrams = new Set<UdpSocket>()

  const tcp = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port: options.tcpTarget, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
    setTimeout(() => relayStream(near, far, up), 2 * options.speed.latency)
    relayStream(far, near, down)
  })
  const udp = createSocket('udp4', (message, client) => {
    const far = createSocket('udp4', (answer) => {
      down.carry(answer.length, () => {
        if (datagrams.has(far)) udp.send(answer, client.port, client.address)
      })
    })
    datagrams.add(far)
    const forgotten = setTimeout(() => far.close(), udpAnswerMilliseconds)
    far.on('close', () => {
      clearTimeout(forgotten)
      datagrams.delete(far)
    })
    up.carry(message.length, () => {
      if (datagrams.has(far)) far.send(message, options.udpTarget, '127.0.0.1')
    })
  })
  tcp.listen(0, options.address)
  udp.bind(0, options.address)
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])

  return {
    address: options.address,
    tcpPort: (tcp.address() as AddressInfo).port,
    udpPort: udp.address().port,
    close: async () => {
      const closed = [once(tcp, 'close'), once(udp, 'close')]
      tcp.close()
      udp.close()
      for (const socket of sockets) socket.destroy()
      for (const far of datagrams) far.close()
      up.stop()
      down.stop()
      await Promise.all(closed)
    },
  }
}

/** Copies one direction of a connection. A sender is paused while the line's queue is full, so that memory stays small. */
function relayStream(from: Socket, to: Socket, direction: Direction): void {
  from.on('data', (chunk: Buffer) => {
    for (let start = 0; start < chunk.length; start += pieceBytes) {
      const piece = chunk.subarray(start, start + pieceBytes)
      direction.carry(piece.length, () => to.writable && to.write(piece))
    }
    const waiting = direction.backlog()
    if (waiting > queueMilliseconds) {
      from.pause()
      setTimeout(() => from.resume(), waiting - queueMilliseconds / 2)
    }
  })
  from.on('end', () => direction.carry(0, () => to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => {
    if (!from.readableEnded) to.destroy()
  })
}

/** A line with the machine's clock: runs what was put on it when it arrives, in the order in which it left. */
interface Direction {
  readonly carry: (bytes: number, arrive: () => void) => void
  readonly backlog: () => number
  readonly stop: () => void
}

function createDirection(speed: LinkSpeed): Direction {
  const line = createLine(speed)
  const underway: { readonly due: number; readonly arrive: () => void }[] = []
  let timer: NodeJS.Timeout | undefined
  const deliver = (): void => {
    timer = undefined
    const now = performance.now()
    while (underway[0] && underway[0].due <= now) underway.shift()?.arrive()
    if (underway[0]) timer = setTimeout(deliver, Math.ceil(underway[0].due - now))
  }
  return {
    carry: (bytes, arrive) => {
      const now = performance.now()
      const due = line.send(bytes, now)
      underway.push({ due, arrive })
      timer ??= setTimeout(deliver, Math.ceil(due - now))
    },
    backlog: () => line.backlog(performance.now()),
    stop: () => {
      clearTimeout(timer)
      underway.length = 0
    },
  }
}
