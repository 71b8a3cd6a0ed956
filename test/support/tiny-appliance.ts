import { parseCompose } from '../../src/definition/compose-parse.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { applyPlan } from '../../src/host/apply.ts'
import { inspectHost } from '../../src/host/inspect.ts'
import { planHost } from '../../src/host/plan.ts'
import type { Step } from '../../src/host/step.ts'
import { emptyTarget, type HostTarget, targetHost, targetImage } from '../../src/host/target.ts'
import type { ImageSource } from '../../src/image/image-source.ts'
import { silent } from '../../src/lib/progress.ts'

export interface TinyOptions {
  readonly version?: string
  /** Arguments of busybox that answer the second service's health check. */
  readonly check?: readonly string[]
  /** Changes in place. */
  readonly memory?: string
  /** Limit of processes of the second service: another one needs another container. */
  readonly pids?: number
  /** Host port of the second service. */
  readonly port?: number
}

/** Two services of a busybox image: quick to start, quick to be healthy. */
export class TinyAppliance {
  readonly name: string
  readonly #engine: Engine
  readonly #image: ImageSource

  constructor(engine: Engine, image: ImageSource, name: string) {
    this.#engine = engine
    this.#image = image
    this.name = name
  }

  get reference(): string {
    return `${this.name}:1.0.0`
  }

  target({
    version = '1.0.0',
    check = ['true'],
    memory = '16m',
    pids = 40,
    port,
  }: TinyOptions = {}): HostTarget {
    const health = (command: readonly string[]): string =>
      `{ test: ${JSON.stringify(['CMD', '/bin/busybox', ...command])}, interval: 100ms, timeout: 5s, retries: 2 }`
    const service = [
      '    image: tiny',
      '    init: true',
      '    stop_grace_period: 1s',
      '    command: ["/bin/busybox", "sleep", "100000"]',
    ]
    const compose = [
      'services:',
      '  first:',
      ...service,
      `    healthcheck: ${health(['true'])}`,
      '  second:',
      ...service,
      `    mem_limit: ${memory}`,
      `    pids_limit: ${pids}`,
      '    volumes: ["data:/data"]',
      '    depends_on: { first: { condition: service_healthy } }',
      ...(port ? [`    ports: ["127.0.0.1:${port}:80"]`] : []),
      `    healthcheck: ${health(check)}`,
      'volumes:',
      '  data: {}',
    ]
    const definition = { name: this.name, version, composeFile: '/compose/appliance.yaml' }
    const image = targetImage(this.reference, this.#image)
    return targetHost(definition, parseCompose(compose.join('\n'), {}), image, this.name, 'tiny')
  }

  async plan(target: HostTarget): Promise<Step[]> {
    return planHost(await inspectHost(this.#engine, this.name), target)
  }

  async apply(steps: readonly Step[]): Promise<void> {
    await applyPlan(steps, { engine: this.#engine, image: this.#image, report: silent })
  }

  async reach(target: HostTarget): Promise<void> {
    await this.apply(await this.plan(target))
  }

  /** Removes everything of it, the image's name too. */
  async remove(): Promise<void> {
    await this.reach(emptyTarget(this.name, false))
    const { images } = this.#engine
    if (await images.inspect(this.reference)) await images.remove(this.reference)
  }
}
