import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import type { Engine } from '../../src/engine/engine.ts'
import { type Change, EngineRelay, type Watch } from './engine-relay.ts'
import { PrivateEngine } from './private-engine.ts'
import { makeScratch, type Scratch } from './scratch.ts'

/** When something happens: at the so-manyth change of this kind that the Engine is asked for, counted from 1. */
export interface Moment {
  readonly when: 'before' | 'after'
  readonly what: string
  readonly count?: number
}

/** What ends without a word. */
export type Victim = 'script' | 'program' | 'host'

export interface Typed {
  readonly exitCode: number | undefined
  readonly stdout: string
  /** The last line of standard error. */
  readonly last: string | undefined
}

/** A host that has an Engine of its own, which at first holds nothing, and on which a partner's command is typed. */
export class QuickHost {
  readonly scratch: Scratch
  readonly relay: EngineRelay
  readonly env: NodeJS.ProcessEnv
  readonly #own: PrivateEngine
  readonly #command: string
  readonly #bin: string

  private constructor(
    scratch: Scratch,
    own: PrivateEngine,
    relay: EngineRelay,
    command: string,
    bin: string,
  ) {
    this.scratch = scratch
    this.relay = relay
    this.#own = own
    this.#command = command
    this.#bin = bin
    const PATH = [bin, process.env.PATH].join(path.delimiter)
    this.env = { ...process.env, ...relay.env, SLIPWAY_BIN: bin, PATH }
  }

  /** `command` is what install.sh will leave. */
  static async start(command: string): Promise<QuickHost> {
    const scratch = await makeScratch('quick-host')
    const bin = path.join(scratch.path, 'bin')
    await mkdir(bin)
    const own = await PrivateEngine.start(2 * 2 ** 30)
    const relay = await EngineRelay.start(scratch.path, own.engine.endpoint)
    return new QuickHost(scratch, own, relay, command, bin)
  }

  get engine(): Engine {
    return this.#own.engine
  }

  async stop(): Promise<void> {
    this.relay.close()
    await this.#own.stop()
    await this.scratch.remove()
  }

  async type(cwd: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Typed> {
    const [file = '', ...parameters] = words
    const { exitCode, stdout, stderr } = await execa(file, parameters, {
      cwd,
      env: { ...this.env, ...env },
      stdin: 'ignore',
      reject: false,
    })
    return { exitCode, stdout, last: stderr.split('\n').at(-1) }
  }

  /**
   * Types the words and kills, at a moment, the script, the program's container, or all that the host runs, its Engine
   * too. Returns with what the script ended, when the Engine answers again.
   */
  async killedAt(
    cwd: string,
    words: readonly string[],
    victim: Victim,
    moment: Moment,
  ): Promise<number | string | null> {
    const [file = '', ...parameters] = words
    const child = spawn(file, parameters, { cwd, env: this.env, stdio: 'ignore', detached: true })
    let struck: Promise<void> | undefined
    this.relay.watch(
      hookAt(moment, () => {
        struck = this.#kill(victim, child)
        return struck
      }),
    )
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    this.relay.watch()
    // The script ends before the last of the host does.
    await struck
    if (victim === 'host') await this.#own.startAgain()
    return code ?? signal
  }

  async #kill(victim: Victim, script: ChildProcess): Promise<void> {
    if (victim === 'program') {
      const label = { 'io.slipway.installer': this.#command }
      const ids = (await this.engine.containers.list(label)).map(({ id }) => id)
      await execa('docker', ['kill', ...ids], { env: { DOCKER_HOST: this.engine.endpoint.address } })
      return
    }
    process.kill(-script.pid!, 'SIGKILL')
    if (victim === 'host') await this.#own.cutPower()
  }

  /** Types the words on a terminal of their own, and there `keys` at a moment, or where a question is asked. */
  async onTerminal(cwd: string, words: readonly string[], keys = '', at: Moment | RegExp = /$^/) {
    const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], { cwd, env: this.env })
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
      if (at instanceof RegExp && at.test(String(chunk))) child.stdin.write(keys)
    })
    if (!(at instanceof RegExp)) this.relay.watch(hookAt(at, () => void child.stdin.write(keys)))
    const [exitCode] = (await once(child, 'close')) as [number]
    this.relay.watch()
    return { exitCode, said }
  }

  /** What the Engine holds, and the folder of the command. */
  async everything() {
    const { images, containers, volumes, networks } = this.engine
    const sorted = (lines: readonly string[]): string[] => [...lines].sort()
    const [allImages, allContainers, allVolumes, allNetworks] = await Promise.all([
      images.list(),
      containers.list(),
      volumes.list(),
      networks.list(),
    ])
    return {
      images: sorted(allImages.map(({ id, tags }) => `${sorted(tags).join(' ')} ${id}`)),
      containers: sorted(
        allContainers.map(({ name, state, labels }) => JSON.stringify([name, state, labels])),
      ),
      volumes: sorted(allVolumes.map(({ Name, Labels }) => `${Name} ${JSON.stringify(Labels)}`)),
      networks: sorted(allNetworks.map(({ Name }) => Name)),
      commands: await readdir(this.#bin),
    }
  }

  /** Takes everything but the installer image from the Engine. */
  async clear(): Promise<void> {
    const { images, containers, volumes, networks } = this.engine
    for (const { id } of await containers.list()) await containers.remove(id)
    for (const { Name } of await volumes.list()) await volumes.remove(Name)
    for (const { Name, Id } of await networks.list())
      if (Name.startsWith(this.#command)) await networks.remove(Id)
    for (const { tags } of await images.list())
      for (const tag of tags) if (!tag.includes('installer')) await images.remove(tag)
  }
}

function hookAt(
  { when, what, count = 1 }: Moment,
  act: () => Promise<void> | void,
): Partial<Record<'before' | 'after', Watch>> {
  let seen = 0
  return {
    [when]: (change: Change) => {
      if (change.what !== what || ++seen !== count) return undefined
      const acted = act()
      // Before a change it happens while the Engine is at it.
      return when === 'after' ? acted : undefined
    },
  }
}
