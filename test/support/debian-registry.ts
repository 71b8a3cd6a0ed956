import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { TokenServer } from './token-server.ts'
import { until } from './until.ts'

export interface DebianRegistryOptions {
  /** Lets only the user `partner` with the password `secret` in: by htpasswd, or with tokens of a server of that name. */
  readonly login?: 'basic' | { readonly realm: string; readonly authority: string }
  /** Speaks https: files of its certificate and key, and of the authority that its clients must come from. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clients?: string }
}

/** Debian's docker-registry on loopback, of a test's own. */
export class DebianRegistry {
  readonly host: string
  readonly #log: string
  readonly #child: ChildProcess
  #seen = 0

  private constructor(host: string, log: string, child: ChildProcess) {
    this.host = host
    this.#log = log
    this.#child = child
  }

  /** Starts one that keeps all in `folder`. */
  static async start(folder: string, { login, tls }: DebianRegistryOptions = {}): Promise<DebianRegistry> {
    const host = `127.0.0.1:${await freePort()}`
    await mkdir(folder, { recursive: true })
    const users = path.join(folder, 'users')
    // What htpasswd -B writes for the password.
    await writeFile(users, 'partner:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n')
    const configuration = path.join(folder, 'config.yml')
    await writeFile(
      configuration,
      JSON.stringify({
        version: '0.1',
        log: { level: 'error', accesslog: { disabled: false } },
        storage: { filesystem: { rootdirectory: path.join(folder, 'storage') } },
        http: { addr: host, ...(tls && { tls: tlsOf(tls) }) },
        ...(login && { auth: authOf(login, users) }),
      }),
    )
    const log = path.join(folder, 'log')
    const output = await open(log, 'a')
    const child = spawn('docker-registry', ['serve', configuration], {
      stdio: ['ignore', output.fd, output.fd],
    })
    const failed = once(child, 'error')
    await output.close()
    const answers = until(`docker-registry on ${host}`, async () =>
      fetch(`http://${host}/v2/`).then(
        () => true,
        () => undefined,
      ),
    )
    await Promise.race([answers, failed.then(([error]) => Promise.reject(error))])
    const registry = new DebianRegistry(host, log, child)
    await registry.takeRequests()
    return registry
  }

  /** What it was asked since the last call: "HEAD /v2/acme/wan/manifests/1.0.0", in order. */
  async takeRequests(): Promise<string[]> {
    const all = [...(await readFile(this.#log, 'utf8')).matchAll(/"([A-Z]+ \/[^ ]*) HTTP/g)]
    const requests = all.slice(this.#seen).map((match) => match[1]!)
    this.#seen = all.length
    return requests
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
  }
}

function tlsOf({ clients, ...own }: NonNullable<DebianRegistryOptions['tls']>) {
  return { ...own, ...(clients && { clientcas: [clients] }) }
}

function authOf(login: NonNullable<DebianRegistryOptions['login']>, users: string) {
  if (login === 'basic') return { htpasswd: { realm: 'test', path: users } }
  const { realm, authority } = login
  const { service, issuer } = TokenServer
  return { token: { realm, service, issuer, rootcertbundle: authority } }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
