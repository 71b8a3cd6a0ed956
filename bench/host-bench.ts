import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerDocument, ContainerSpec } from '../src/engine/documents.ts'
import type { Engine } from '../src/engine/engine.ts'
import { runCheck } from '../src/host/health-check.ts'
import { mapParallel } from '../src/lib/parallel.ts'
import { type Measurement, measure, type TimedLine } from './measure.ts'

const productFiles = ['appliance.yaml', 'appliance.lock', 'images', 'compose', 'profiles']
export const services = ['dns', 'optimiser'] as const

const product = 'slipway-bench'
// Another bench, or what it left on another Engine, has others.
const base = 20_000 + (process.pid % 2000) * 4
const ports = {
  ours: { dns: String(base), optimiser: String(base + 1) },
  theirs: { dns: String(base + 2), optimiser: String(base + 3) },
}

/** The reference appliance under a name of its own, installed by us and by docker-compose from the same file. */
export class HostBench {
  readonly name = product
  /** Compose's project. */
  readonly rival = `${product}-compose`
  readonly image = `${product}:0.1.0`
  readonly engine: Engine
  readonly scratch: string
  readonly #program: string
  readonly #product: string

  private constructor(engine: Engine, root: string, scratch: string) {
    this.engine = engine
    this.scratch = scratch
    this.#program = path.join(root, 'dist', 'program', 'main.js')
    this.#product = path.join(scratch, 'product')
  }

  static async open(engine: Engine, root: string, scratch: string): Promise<HostBench> {
    const bench = new HostBench(engine, root, scratch)
    for (const name of productFiles)
      await cp(path.join(root, name), path.join(bench.#product, name), { recursive: true })
    const file = path.join(bench.#product, 'appliance.yaml')
    const text = await readFile(file, 'utf8')
    const renamed = text
      .replace(/^name: .*$/m, `name: ${product}`)
      .replace(/^version: .*$/m, 'version: 0.1.0')
    await writeFile(file, renamed)
    await bench.build()
    // What a run that was cut off left.
    await bench.close()
    return bench
  }

  slipway(
    parameters: readonly string[],
    options: { env?: NodeJS.ProcessEnv; accepted?: number } = {},
  ): Promise<Measurement> {
    return measure([process.execPath, this.#program, '-C', this.#product, ...parameters], options)
  }

  build(): Promise<Measurement> {
    return this.slipway(['build', '--platform', 'linux/amd64', '--out', this.#layout])
  }

  install(options: { env?: NodeJS.ProcessEnv } = {}): Promise<Measurement> {
    const settings = services.flatMap((service) => ['--set', `${service}.port=${ports.ours[service]}`])
    return this.slipway(
      ['install', this.#layout, '--name', product, '--profile', 'branch', ...settings],
      options,
    )
  }

  uninstall(): Promise<Measurement> {
    return this.slipway(['uninstall', '--name', product, '--yes'])
  }

  /** Adds a byte to the brand's own layer, and builds. */
  async rebrand(): Promise<void> {
    const file = path.join(this.#product, 'images', 'brand', 'rootfs', 'usr', 'share', 'slipway', 'bench')
    await mkdir(path.dirname(file), { recursive: true })
    await appendFile(file, '.')
    await this.build()
  }

  compose(...parameters: string[]): Promise<Measurement> {
    const file = path.join(this.#product, 'compose', 'appliance.yaml')
    return measure(['docker-compose', '-f', file, '-p', this.rival, ...parameters], {
      env: {
        APPLIANCE_IMAGE: this.image,
        DNS_PORT: ports.theirs.dns,
        OPTIMISER_PORT: ports.theirs.optimiser,
      },
    })
  }

  /** The container of a service, by Compose's own labels, which both sides set. */
  async container(project: string, service: string): Promise<ContainerDocument> {
    const [found] = await this.engine.containers.list({
      'com.docker.compose.project': project,
      'com.docker.compose.service': service,
    })
    return (await this.engine.containers.inspect(found!.id))!
  }

  /** Until every check passes, asked again and again without a pause: no quicker way is there to see it. */
  async untilServing(containers: readonly ContainerDocument[]): Promise<void> {
    await mapParallel(containers, { limit: containers.length }, async (document) => {
      while (!(await runCheck(this.engine, document)).passed);
    })
  }

  /** Until the Engine itself says so. */
  async untilEngineSaysHealthy(containers: readonly ContainerDocument[]): Promise<void> {
    for (const { Id } of containers) {
      while ((await this.engine.containers.inspect(Id))?.State.Health?.Status !== 'healthy') await sleep(20)
    }
  }

  /** Removes both appliances, and the image. */
  async close(): Promise<void> {
    const { containers, images } = this.engine
    await this.compose('down', '--volumes')
    for (const { id, name } of await containers.list()) {
      if (name.startsWith(`${product}-raw`) || name.startsWith(`${product}-many`)) await containers.remove(id)
    }
    await this.uninstall()
    for (const { id, labels } of await images.list()) {
      if (labels['io.slipway.product'] === product) await images.remove(id)
    }
  }

  get #layout(): string {
    return path.join(this.scratch, 'layout')
  }
}

/** What makes another container like one that is there, but for its names. */
export function copyOf({ Config, HostConfig, NetworkSettings }: ContainerDocument): ContainerSpec {
  const { Hostname: _, ...config } = Config
  const networks = Object.keys(NetworkSettings.Networks).map((network) => [network, {}])
  return {
    ...config,
    Labels: {},
    HostConfig,
    NetworkingConfig: { EndpointsConfig: Object.fromEntries(networks) },
  }
}

/** Seconds from the end of one line that a command printed to that of another. */
export function between(lines: readonly TimedLine[], from: RegExp, to: RegExp): number {
  const first = lines.find(({ text }) => from.test(text))
  const last = lines.find(({ text }) => to.test(text))
  if (!first || !last)
    throw new Error(`No ${first ? to : from} in:\n${lines.map(({ text }) => text).join('\n')}`)
  return last.at - first.at
}
