import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import type { Engine } from '../../src/engine/engine.ts'
import { ownLabels } from '../../src/host/labels.ts'
import { type Change, EngineRelay } from './engine-relay.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import { repository } from './slipway.ts'
import { type TinyProduct, writeTinyProduct } from './tiny-services.ts'

export interface Outcome {
  /** null: killed. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** One small appliance, the command line that works on it, and the relay at which faults happen. */
export class FaultBench {
  readonly name: string
  readonly engine: Engine
  readonly relay: EngineRelay
  readonly scratch: Scratch
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
        rest: 'volumes: { data: {} }\n',
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

  verb(verb: string, ...more: string[]): string[] {
    return [...['-C', this.#products['1.0.0']!.directory, verb], ...more, '--name', this.name]
  }

  /** Runs the command line through the relay to its end. */
  async run(parameters: readonly string[]): Promise<Outcome> {
    const program = path.join(repository, 'dist', 'cli', 'main.js')
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

  /** Runs it and does harm when the Engine has done change `at`, before the command line knows. */
  async harm(parameters: readonly string[], at: number, harm: (change: Change) => unknown): Promise<Outcome> {
    this.relay.watch({
      after: async (change) => {
        if (change.number === at) await harm(change)
      },
    })
    return this.run(parameters)
  }

  /** SIGKILL to the command line that runs. */
  async kill(): Promise<void> {
    const { child } = this
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Puts a new file into the volume. */
  async writeData(): Promise<void> {
    const text = randomBytes(3000).toString('base64')
    await this.#execute([
      'sh',
      '-c',
      `echo ${text} > /data/file; mkdir -p /data/deep; echo ${text} > /data/deep/er`,
    ])
  }

  /** Makes the service's check fail, or pass again. */
  async sicken(sick: boolean): Promise<void> {
    await this.#execute(['sh', '-c', sick ? 'echo > /data/sick' : 'rm -f /data/sick'])
  }

  /** Bytes that the keeper's container may use. */
  async memory(): Promise<number | undefined> {
    return (await this.engine.containers.inspect(`${this.name}-keeper-1`))?.HostConfig.Memory
  }

  /** Takes away what somebody else could: the containers of services, their network, the data volume. */
  async takeAway(what: 'a container' | 'the network' | 'the volume'): Promise<void> {
    const { containers, networks, volumes } = this.engine
    const own = await containers.list({ [ownLabels.appliance]: this.name })
    const services = own.filter((one) => one.labels[ownLabels.role] === undefined)
    const gone = what === 'a container' ? services.slice(0, 1) : services
    for (const { id } of gone) await containers.remove(id)
    if (what === 'the network') {
      for (const one of await networks.list()) {
        if (one.Labels?.[ownLabels.appliance] === this.name) await networks.remove(one.Id)
      }
    }
    if (what === 'the volume') {
      for (const { Name } of await volumes.list())
        if (Name === `${this.name}_data`) await volumes.remove(Name)
    }
  }

  /** Every file of the volume with its bytes' hash. */
  readData(): Promise<string> {
    return this.#execute(['sh', '-c', 'find /data -type f | sort | xargs -r /bin/busybox sha256sum'])
  }

  /** What of the appliance is there, in words that are the same each time. */
  async picture(): Promise<string[]> {
    const { containers, networks, volumes } = this.engine
    const mine = (labels: Readonly<Record<string, string>> | null, name: string): boolean =>
      labels?.[ownLabels.appliance] === this.name || new RegExp(`^${this.name}[-_]`).test(name)
    const volumeNames = (await volumes.list())
      .filter((one) => mine(one.Labels, one.Name))
      .map((one) => one.Name)
    // What holds the state volume open belongs to it.
    const found = (await containers.list()).filter(
      (one) =>
        mine(one.labels, one.name) &&
        !(one.labels[ownLabels.role] === 'state' && volumeNames.includes(`${this.name}_state`)),
    )
    return [
      ...found.map((one) =>
        `container ${one.name} ${one.state} ${one.labels[ownLabels.release] ?? ''}`.trim(),
      ),
      ...(await networks.list())
        .filter((one) => mine(one.Labels, one.Name))
        .map((one) => `network ${one.Name}`),
      ...volumeNames.map((volume) => `volume ${volume}`),
    ].sort()
  }

  /** Removes what is left of the appliance, however it was left. */
  async close(): Promise<void> {
    const { containers, networks, volumes, images } = this.engine
    for (const { id, name } of await containers.list()) {
      if (name.startsWith(`${this.name}-`)) await containers.remove(id)
    }
    for (const line of await this.picture()) {
      const [kind, thing = ''] = line.split(' ')
      if (kind === 'network') await networks.remove(thing)
      if (kind === 'volume') await volumes.remove(thing)
    }
    for (const { tags } of await images.list()) {
      for (const tag of tags) if (tag.startsWith(`${this.name}:`)) await images.remove(tag)
    }
    this.relay.close()
    await this.scratch.remove()
  }

  async #execute(command: readonly string[]): Promise<string> {
    const container = `${this.name}-keeper-1`
    const { stdout, stderr, exitCode } = await this.engine.containers.exec(container, [
      '/bin/busybox',
      ...command,
    ])
    if (exitCode !== 0) throw new Error(`${command.join(' ')} in ${container}: ${stderr}`)
    return stdout
  }
}

const healthyUnlessTold = '[ ! -e /data/sick ]'

function services(check: string): string {
  const common = [
    '    image: tiny',
    '    init: true',
    '    stop_grace_period: 1s',
    '    command: ["/bin/busybox", "sleep", "100000"]',
    '    restart: unless-stopped',
  ]
  const health = (test: string): string =>
    `    healthcheck: { test: ["CMD", "/bin/sh", "-c", "${test}"], interval: 100ms, timeout: 5s, retries: 2 }`
  return [
    '  front:',
    ...common,
    health('true'),
    '  keeper:',
    ...common,
    health(check),
    `    mem_limit: \${KEEPER_MEMORY:-16m}`,
    `    memswap_limit: \${KEEPER_MEMORY:-16m}`,
    '    volumes: ["data:/data"]',
    '    depends_on: { front: { condition: service_healthy } }',
  ].join('\n')
}
