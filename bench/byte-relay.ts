import { once } from 'node:events'
import net from 'node:net'

/** Stands before an Engine's socket, on one of its own, and counts the bytes that go to the Engine. */
export class ByteRelay {
  sent = 0
  readonly #server: net.Server

  private constructor(target: string) {
    this.#server = net.createServer((client) => {
      const engine = net.connect(target)
      client.on('data', (chunk) => {
        this.sent += chunk.length
      })
      client.pipe(engine).pipe(client)
      for (const end of [client, engine]) {
        end.on('error', () => {
          client.destroy()
          engine.destroy()
        })
      }
    })
  }

  /** Both are paths of sockets. */
  static async start(socket: string, target: string): Promise<ByteRelay> {
    const relay = new ByteRelay(target)
    relay.#server.listen(socket)
    await once(relay.#server, 'listening')
    return relay
  }

  close(): void {
    this.#server.close()
  }
}
