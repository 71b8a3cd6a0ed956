import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import { until } from './until.ts'

/**
 * A dockerd of the test's own, with a small disk in memory, beside the host's: a test may kill it and fill its disk. It
 * has a network of its own, so nothing in it reaches the network outside. As where
 * systemd starts it, its containerd is a process beside it, which lives on.
 */
export class PrivateEngine {
  readonly engine: Engine
  readonly #scratch: Scratch
  readonly #guard: ChildProcess
  readonly #containerd: ChildProcess
  #daemon: ChildProcess

  private constructor(
    scratch: Scratch,
    guard: ChildProcess,
    containerd: ChildProcess,
    daemon: ChildProcess,
    engine: Engine,
  ) {
    this.#scratch = scratch
    this.#guard = guard
    this.#containerd = containerd
    this.#daemon = daemon
    this.engine = engine
  }

  /** `disk` in bytes. */
  static async start(disk: number): Promise<PrivateEngine> {
    const scratch = await makeScratch('dockerd')
    const guard = guardFolder(scratch.path)
    const data = path.join(scratch.path, 'data')
    await mkdir(data)
    await execa('mount', ['-t', 'tmpfs', '-o', `size=${disk}`, 'slipway-test', data])
    const containerd = await launchContainerd(scratch.path)
    const daemon = await launch(scratch, containerd)
    try {
      return new PrivateEngine(scratch, guard, containerd, daemon, await answer(scratch))
    } catch (error) {
      for (const one of [daemon, containerd]) one.kill('SIGKILL')
      await clear(scratch)
      guard.stdin?.end()
      throw error
    }
  }

  /** As a crash: SIGKILL. What runs in containers runs on until the next start. */
  async kill(): Promise<void> {
    await end(this.#daemon, 'SIGKILL')
  }

  /** As a power cut: what runs in containers ends with it. */
  async cutPower(): Promise<void> {
    const { containers } = this.engine
    const running = (await containers.list()).filter(({ state }) => state === 'running')
    const documents = await Promise.all(running.map(({ id }) => containers.inspect(id)))
    const ended = this.kill()
    for (const one of documents) if (one?.State.Pid) process.kill(one.State.Pid, 'SIGKILL')
    await ended
  }

  async startAgain(): Promise<void> {
    this.#daemon = await launch(this.#scratch, this.#containerd)
    await answer(this.#scratch)
  }

  /** Takes what is left of the disk, but for `spare` bytes. */
  async fillDisk(spare = 0): Promise<void> {
    const ballast = await open(this.#ballast, 'w')
    const block = Buffer.alloc(2 ** 20)
    try {
      for (const size of [block.length, 4096])
        for (;;) {
          const written = await ballast.write(block, 0, size).catch(() => undefined)
          if (!written || written.bytesWritten < size) break
        }
      if (spare > 0) await ballast.truncate((await ballast.stat()).size - spare)
    } finally {
      await ballast.close()
    }
  }

  async freeDisk(): Promise<void> {
    await rm(this.#ballast, { force: true })
  }

  /** Ends the daemon and whatever it still ran. */
  async stop(): Promise<void> {
    for (const { id } of await this.engine.containers.list()) await this.engine.containers.remove(id)
    for (const one of [this.#daemon, this.#containerd]) await end(one, 'SIGTERM')
    await clear(this.#scratch)
    this.#guard.stdin?.end()
  }

  get #ballast(): string {
    return path.join(this.#scratch.path, 'data', 'ballast')
  }
}

/** Ends it all where nobody is left to call `stop`. */
function guardFolder(folder: string): ChildProcess {
  const program = fileURLToPath(new URL('engine-guard.mjs', import.meta.url))
  // Not of our process group: Ctrl-C on a terminal ends that.
  return spawn(process.execPath, [program, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
}

async function launchContainerd(folder: string): Promise<ChildProcess> {
  const config = path.join(folder, 'containerd.toml')
  const socket = containerdSocketOf(folder)
  const lines = [
    'version = 2',
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `root = "${path.join(folder, 'data', 'containerd')}"`,
    `state = "${path.join(folder, 'containerd')}"`,
    `[grpc]\naddress = "${socket}"`,
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  const containerd = await inBackground(folder, 'unshare', ['--net', 'containerd', '--config', config])
  // Before that it may still be in the host's network, and whoever enters its network then is in the host's too.
  await until('a containerd of the test’s own listens', async () => existsSync(socket) || undefined)
  return containerd
}

/** In the network of its containerd: without a default bridge a dockerd removes the one that it finds. */
async function launch({ path: folder }: Scratch, containerd: ChildProcess): Promise<ChildProcess> {
  const parameters = [
    ...['--host', `unix://${socketOf(folder)}`, '--data-root', path.join(folder, 'data')],
    ...['--exec-root', path.join(folder, 'run'), '--pidfile', path.join(folder, 'pid')],
    ...['--containerd', containerdSocketOf(folder)],
    ...['--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false'],
    ...['--default-address-pool', 'base=10.213.0.0/16,size=26'],
  ]
  // A pid file that a crash left may name a process that another one has by now.
  await rm(path.join(folder, 'pid'), { force: true })
  const network = ['--target', String(containerd.pid), '--net']
  return inBackground(folder, 'nsenter', [...network, 'dockerd', ...parameters])
}

async function inBackground(folder: string, program: string, parameters: string[]): Promise<ChildProcess> {
  const log = await open(path.join(folder, 'log'), 'a')
  const child = spawn(program, parameters, { stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  return child
}

async function answer({ path: folder }: Scratch): Promise<Engine> {
  const ask = () => connectEngine({ DOCKER_HOST: `unix://${socketOf(folder)}` }).catch(() => undefined)
  try {
    return await until('a dockerd of the test’s own answers', ask, 60_000)
  } catch (error) {
    const log = await readFile(path.join(folder, 'log'), 'utf8')
    throw new Error(`${(error as Error).message}\n${log.split('\n').slice(-20).join('\n')}`)
  }
}

async function end(daemon: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  daemon.kill(signal)
  await once(daemon, 'exit')
}

/** Unmounts everything below, deepest first: a killed daemon leaves its containers' mounts. */
async function clear(scratch: Scratch): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((one) => one.startsWith(`${scratch.path}/`)).reverse())
    await execa('umount', ['--lazy', mount], { reject: false })
  await scratch.remove()
}

function socketOf(folder: string): string {
  return path.join(folder, 'dockerd.sock')
}

function containerdSocketOf(folder: string): string {
  return path.join(folder, 'containerd.sock')
}
