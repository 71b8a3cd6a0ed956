import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import { prepareInstall } from '../../src/cli/host-plan.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { inspectHost } from '../../src/host/inspect.ts'
import { ownLabels } from '../../src/host/labels.ts'
import { planHost } from '../../src/host/plan.ts'
import type { Step } from '../../src/host/step.ts'
import { emptyTarget } from '../../src/host/target.ts'
import { silent } from '../../src/lib/progress.ts'
import { type Change, EngineRelay } from './engine-relay.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import { repository } from './slipway.ts'
import { type TinyProduct, writeTinyProduct } from './tiny-services.ts'
import { until } from './until.ts'

export interface Outcome {
  /** null: killed. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What the keeper holds: "hash  path" lines of each volume, and of its own file. */
export interface Data {
  readonly data: string
  readonly cache: string
  readonly mark: string
}

/** One small appliance, the command line that works on it, and the relay at which faults happen. */
export class FaultBench {
  readonly name: string
  readonly engine: Engine
  readonly relay: EngineRelay
  readonly scratch: Scratch
  /** What `backupFile` holds. */
  backedUp: Partial<Data> | undefined
  /** The command line that runs now. */
  child: ChildProcess | undefined
  readonly #products: Readonly<Record<string, TinyProduct>>

  private constructor(
    name: string,
    engine: Engine,
    relay: EngineRelay,
    scratch: Scratch,
    products: Readonly<Record<string, TinyProduct>>,
  ) {
    this.name = name
    this.engine = engine
    this.relay = relay
    this.scratch = scratch
    this.#products = products
  }

  static async open(engine: Engine, name: string): Promise<FaultBench> {
    const scratch = await makeScratch('faults')
    const relay = await EngineRelay.start(scratch.path, engine.endpoint)
    const product = (version: string, check: string) =>
      writeTinyProduct(scratch.path, {
        name,
        version,
        services: services(check),
        rest: 'volumes: { data: {}, cache: { x-slipway: { holds: cache } } }\n',
      })
    const products = {
      '1.0.0': await product('1.0.0', healthyUnlessTold),
      '2.0.0': await product('2.0.0', healthyUnlessTold),
      sick: await product('3.0.0', 'false'),
    }
    return new FaultBench(name, engine, relay, scratch, products)
  }

  /** The parameters of an install of a release: "1.0.0", "2.0.0", or "sick", whose check always fails. */
  install(release: string): string[] {
    const { directory, layout } = this.#products[release]!
    return ['-C', directory, 'install', layout, '--name', this.name]
  }

  restore(file = this.backupFile): string[] {
    const { directory, layout } = this.#products['1.0.0']!
    return ['-C', directory, 'restore', file, layout, '--yes', '--name', this.name]
  }

  get backupFile(): string {
    return path.join(this.scratch.path, 'backup')
  }

  verb(verb: string, ...more: string[]): string[] {
    return [...['-C', this.#products['1.0.0']!.directory, verb], ...more, '--name', this.name]
  }

  /** Runs the command line through the relay to its end. */
  async run(parameters: readonly string[]): Promise<Outcome> {
    const program = path.join(repository, 'dist', 'program', 'main.js')
    const child = spawn(process.execPath, [program, ...parameters], {
      env: { ...process.env, ...this.relay.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child = child
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    const [exitCode] = (await once(child, 'close')) as [number | null]
    return { exitCode, stdout, stderr }
  }

  /** Runs it without any fault; throws where it fails. */
  async must(parameters: readonly string[]): Promise<Outcome> {
    this.relay.watch()
    const outcome = await this.run(parameters)
    if (outcome.exitCode === 0) return outcome
    throw new Error(`slipway ${parameters.join(' ')} ended with ${outcome.exitCode}:\n${outcome.stderr}`)
  }

  /** What an install of a release, or an uninstall, would still do. */
  async planned(end: string): Promise<readonly Step[]> {
    if (end === 'nothing' || end === 'volumes') {
      return planHost(await inspectHost(this.engine, this.name), emptyTarget(this.name, end === 'volumes'))
    }
    const { directory, layout } = this.#products[end]!
    const context = {
      cwd: directory,
      env: { DOCKER_HOST: this.relay.env.DOCKER_HOST },
      print: () => {},
      report: silent,
      interactive: false,
      color: false,
      signal: new AbortController().signal,
    }
    return (await prepareInstall(context, { directory, name: this.name }, layout)).steps
  }

  /** Runs it and does harm when the Engine has done change `at`, before the command line knows. */
  async harm(parameters: readonly string[], at: number, harm: (change: Change) => unknown): Promise<Outcome> {
    this.relay.watch({
      after: async (change) => {
        if (change.number === at) await harm(change)
      },
    })
    return this.run(parameters)
  }

  /**
   * As `harm`, at the first change that looks like `moment`, with nothing answered until the harm is done; what the
   * command line ran into is in `ended`. The outer promise waits until that change.
   */
  async holdAt(
    parameters: readonly string[],
    moment: RegExp,
    release: Promise<void>,
  ): Promise<{ readonly ended: Promise<Outcome> }> {
    return new Promise((resolve, reject) => {
      let held = false
      this.relay.watch({
        after: async ({ what }) => {
          if (held || !moment.test(what)) return
          held = true
          resolve({ ended })
          await release
        },
      })
      const ended = this.run(parameters)
      ended.then(({ stderr }) => reject(new Error(`it never came to ${moment}:\n${stderr}`)), reject)
    })
  }

  /** SIGKILL to the command line that runs. */
  async kill(): Promise<void> {
    const { child } = this
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Puts new files into both volumes, and one into the container itself. */
  async writeData(): Promise<void> {
    const text = randomBytes(3000).toString('base64')
    const places = ['/data/file', '/data/deep/er', '/cache/file', '/mark']
    await this.#execute(['mkdir -p /data/deep', ...places.map((file) => `echo ${text} > ${file}`)])
  }

  /** Puts so many random bytes into a file of the container's: "/data/large" is in its volume. */
  async writeLarge(file: string, mebibytes: number): Promise<void> {
    await this.#execute([`dd if=/dev/urandom of=${file} bs=1M count=${mebibytes} 2>/dev/null`])
  }

  /** Takes a backup of all that the services hold. */
  async backUp(): Promise<void> {
    await this.writeData()
    await this.must(this.verb('backup', this.backupFile))
    // A cache is not in it, and stays.
    const { data, mark } = await this.readData()
    this.backedUp = { data, mark }
  }

  /** A backup of a service that is not healthy; where it is. */
  async backUpSick(): Promise<string> {
    const file = `${this.backupFile}.sick`
    await this.sicken('volume', true)
    await this.must(this.verb('backup', file))
    await this.sicken('volume', false)
    return file
  }

  /** Makes the service's check fail, or pass again: through its volume, or the container alone. */
  async sicken(through: 'volume' | 'itself', sick: boolean): Promise<void> {
    const file = through === 'volume' ? '/data/sick' : '/sick'
    await this.#execute([sick ? `echo > ${file}` : `rm -f ${file}`])
    await until('the Engine sees how the service is', async () => {
      const document = await this.engine.containers.inspect(`${this.name}-keeper-1`)
      return document?.State.Health?.Status === (sick ? 'unhealthy' : 'healthy') ? true : undefined
    })
  }

  /** Bytes that the keeper's container may use. */
  async memory(): Promise<number | undefined> {
    return (await this.engine.containers.inspect(`${this.name}-keeper-1`))?.HostConfig.Memory
  }

  /** The limit that the keeper was told last. */
  async told(): Promise<number> {
    return Number(await this.#execute(['cat /told']))
  }

  /** Takes away what somebody else could: the keeper's container; all containers and their network, or data. */
  async takeAway(what: 'container' | 'network' | 'volume'): Promise<void> {
    const { containers, networks, volumes } = this.engine
    const own = await containers.list({ [ownLabels.appliance]: this.name })
    const services = own.filter((one) => one.labels[ownLabels.role] === undefined)
    const gone =
      what === 'container' ? services.filter((one) => one.name === `${this.name}-keeper-1`) : services
    for (const { id } of gone) await containers.remove(id)
    const mine = (labels: Readonly<Record<string, string>> | null): boolean =>
      labels?.[ownLabels.appliance] === this.name
    if (what === 'network')
      for (const one of await networks.list()) if (mine(one.Labels)) await networks.remove(one.Id)
    if (what === 'volume')
      for (const { Name, Labels } of await volumes.list())
        if (mine(Labels) && Labels?.[ownLabels.component] === 'data') await volumes.remove(Name)
  }

  /** Every file of the volumes with its bytes' hash, and whether the container has the file of its own. */
  async readData(): Promise<Data> {
    const files = (folder: string): string =>
      `find /${folder} -type f | sort | xargs -r /bin/busybox sha256sum`
    const text = await this.#execute([
      files('data'),
      'echo --',
      files('cache'),
      'echo --',
      'ls /mark || true',
    ])
    const [data = '', cache = '', mark = ''] = text.split('--\n')
    return { data, cache, mark }
  }

  /** What of the appliance is there, in words that are the same each time. */
  async picture(): Promise<string[]> {
    const { containers, networks, volumes } = this.engine
    const mine = (labels: Readonly<Record<string, string>> | null, name: string): boolean =>
      labels?.[ownLabels.appliance] === this.name || new RegExp(`^${this.name}[-_]`).test(name)
    const [foundContainers, foundNetworks, foundVolumes] = await Promise.all([
      containers.list(),
      networks.list(),
      volumes.list(),
    ])
    const own = foundVolumes.filter((one) => mine(one.Labels, one.Name))
    const hasState = own.some((one) => one.Name === `${this.name}_state`)
    return [
      ...foundContainers
        .filter((one) => mine(one.labels, one.name))
        // What holds the state volume open belongs to it.
        .filter((one) => !(one.labels[ownLabels.role] === 'state' && hasState))
        .map((one) => `container ${one.name} ${one.state} ${one.labels[ownLabels.release] ?? ''}`.trim()),
      ...foundNetworks.filter((one) => mine(one.Labels, one.Name)).map((one) => `network ${one.Name}`),
      // A restore and a reset leave a volume of another name.
      ...own.map((one) => `volume ${one.Labels?.[ownLabels.component] ?? one.Name}`),
    ].sort()
  }

  /** Removes what is left of the appliance, however it was left. */
  async close(): Promise<void> {
    const { containers, networks, volumes, images } = this.engine
    for (const { id, name } of await containers.list()) {
      if (name.startsWith(`${this.name}-`)) await containers.remove(id)
    }
    const labelled = (labels: Readonly<Record<string, string>> | null): boolean =>
      labels?.[ownLabels.appliance] === this.name
    for (const one of await networks.list()) if (labelled(one.Labels)) await networks.remove(one.Id)
    for (const one of await volumes.list()) if (labelled(one.Labels)) await volumes.remove(one.Name)
    for (const { tags } of await images.list()) {
      for (const tag of tags) if (tag.startsWith(`${this.name}:`)) await images.remove(tag)
    }
    this.relay.close()
    await this.scratch.remove()
  }

  async #execute(lines: readonly string[]): Promise<string> {
    const container = `${this.name}-keeper-1`
    const { stdout, stderr, exitCode } = await this.engine.containers.exec(container, [
      '/bin/busybox',
      'sh',
      '-c',
      lines.join('\n'),
    ])
    if (exitCode !== 0) throw new Error(`${lines.join('; ')} in ${container}: ${stderr}`)
    return stdout
  }
}

const healthyUnlessTold = '[ ! -e /data/sick ] && [ ! -e /sick ]'

const tell = (file: string): string =>
  `{ read limit < /sys/fs/cgroup/${file} && echo $$limit > /told; } 2>/dev/null`

const tellLimit = `${tell('memory.max')} || ${tell('memory/memory.limit_in_bytes')}`

function services(check: string): string {
  const common = ['    image: tiny', '    init: true', '    stop_grace_period: 1s', '    restart: always']
  return [
    '  front:',
    ...common,
    '    command: ["/bin/busybox", "sleep", "100000"]',
    '  keeper:',
    ...common,
    `    command: ["/bin/sh", "-c", "${tellLimit}; exec /bin/busybox sleep 100000"]`,
    // A check costs an Engine more than all that the service does.
    `    healthcheck: { test: ["CMD", "/bin/sh", "-c", "${check}"], interval: 1s, timeout: 20s, retries: 2 }`,
    // It writes down the limit that it finds, as it does when it starts.
    `    x-slipway: { reload: ["/bin/sh", "-c", "${tellLimit}"] }`,
    `    mem_limit: \${KEEPER_MEMORY:-16m}`,
    `    memswap_limit: \${KEEPER_MEMORY:-16m}`,
    '    volumes: ["data:/data", "cache:/cache"]',
    '    depends_on: [front]',
  ].join('\n')
}
