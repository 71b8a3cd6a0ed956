import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { installPackages, missingPackages } from '../src/cli/demo/apt.ts'
import { ensureEngine } from '../src/cli/demo/engine-setup.ts'
import { connectEngine } from '../src/engine/connect.ts'
import type { ContainerSpec } from '../src/engine/documents.ts'
import type { Engine } from '../src/engine/engine.ts'
import { runCheck } from '../src/host/health-check.ts'
import { DebianRegistry } from '../test/support/debian-registry.ts'
import { copyOf, services } from './host-bench.ts'
import { compared, head, measure, type Row, showSeconds, table } from './measure.ts'

const rounds = 5
const name = 'slipway-deliver'
const ports = ['--set', 'dns.port=28353', '--set', 'optimiser.port=28354']

/**
 * How fast a bundle is installed and how small it is, beside `docker load` of the same images and raw Engine calls.
 * Needs root and an Engine that holds no other image of the reference: layers that are there are not loaded again.
 */
export async function run(root: string): Promise<void> {
  const say = (line: string): void => console.log(line)
  const missing = await missingPackages(['docker-registry'])
  if (missing.length > 0) await installPackages(missing, { say, logFile: '/var/log/slipway-setup.log' })
  const own = await ensureEngine({ say, env: process.env, connect: connectEngine })
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-bench-'))
  try {
    const bench = new DeliverBench(await connectEngine(), root, scratch)
    await bench.clear()
    await bench.make()
    const rows = [...(await bench.time()), ...(await bench.weigh()), ...(await bench.push())]
    await bench.clear()
    say(table([head, ...rows]))
    say(`\nMedians of ${rounds} runs, taken in turn.`)
  } finally {
    await rm(scratch, { recursive: true, force: true })
    await own.stop()
  }
}

/** A branded product that differs from the reference in its brand alone, and its bundles. */
class DeliverBench {
  readonly #engine: Engine
  readonly #root: string
  readonly #scratch: string

  constructor(engine: Engine, root: string, scratch: string) {
    this.#engine = engine
    this.#root = root
    this.#scratch = scratch
  }

  async make(): Promise<void> {
    await mkdir(this.#product)
    await mkdir(path.join(this.#scratch, 'bin'))
    await this.#write('1.0.0', 'A')
    // The reference's choice of packages, so that its layers are the reference's too.
    await cp(path.join(this.#root, 'appliance.lock'), path.join(this.#product, 'appliance.lock'))
    await this.#slipway('key', '--out', 'signing')
    await this.#slipway('lock')
    await this.#bundle()
    await this.#write('1.0.1', 'B')
    await this.#slipway('lock')
    await this.#bundle('--since', path.join(this.#folder(''), `${name}-1.0.0-linux-amd64.tar`))
    await this.#slipway('build', '--platform', 'linux/amd64')
    await this.#unpack()
  }

  /** `sh install.sh`, and what nobody can do without: the same images loaded, the same containers made and started. */
  async time(): Promise<Row[]> {
    const [ours, warm, floors]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < rounds; round++) {
      await this.clear()
      ours.push((await this.#install()).seconds)
      const specs = await this.#specs()
      await this.#command('uninstall', '--yes')
      warm.push((await this.#install()).seconds)
      await this.clear()
      floors.push(await this.#raw(specs))
    }
    const floor = 'docker load of the same images, raw calls to healthy'
    return [
      compared('sh install.sh to healthy, empty Engine', ours, floor, floors, 'at most 1.3×'),
      ['the same, images and command there', showSeconds(warm), '', '', ''],
    ]
  }

  async weigh(): Promise<Row[]> {
    const { size } = await stat(path.join(this.#folder(''), `${name}-1.0.0-linux-amd64.tar`))
    const { images } = await this.#manifest()
    const sizes = new Map(
      images.flatMap(({ layers }) => layers.map((layer) => [layer.digest, layer.size] as const)),
    )
    const layers = sum([...sizes.values()])
    const appliance = new Set(
      images.find(({ role }) => role === 'appliance')!.layers.map(({ digest }) => digest),
    )
    const added = sum([...sizes].flatMap(([digest, bytes]) => (appliance.has(digest) ? [] : [bytes])))
    const update = await stat(path.join(this.#folder('update'), `${name}-1.0.1-linux-amd64-since-1.0.0.tar`))
    return [
      [
        'the bundle',
        megabytes(size),
        `its distinct compressed layers: ${megabytes(layers)}`,
        `${(size / layers).toFixed(3)}×`,
        'at most 1.02×',
      ],
      ['an update of the brand alone', megabytes(update.size), '', '', 'under 1 MB'],
      ['what the installer image adds', megabytes(added), '', '', 'at most 60 MB'],
    ]
  }

  async push(): Promise<Row[]> {
    const registry = await DebianRegistry.start(path.join(this.#scratch, 'registry'))
    try {
      const push = () => this.#slipway('push', `${registry.host}/bench/wan:1.0.1`)
      const first = (await push()).seconds
      await registry.takeRequests()
      const again = (await push()).seconds
      const requests = await registry.takeRequests()
      const heads = requests.filter((request) => request.startsWith('HEAD ')).length
      return [
        [
          'push of an image that is there',
          `${again.toFixed(2)} s, ${requests.length} requests, ${heads} of them HEAD`,
          `the first push: ${first.toFixed(2)} s`,
          '',
          'a few HEAD, no blob',
        ],
      ]
    } finally {
      await registry.stop()
    }
  }

  /** Everything of this bench leaves the Engine. */
  async clear(): Promise<void> {
    const { containers, images, networks, volumes } = this.#engine
    for (const one of await containers.list())
      if (one.name.startsWith(`${name}-`)) await containers.remove(one.id)
    for (const { Name } of await networks.list()) if (Name === `${name}_default`) await networks.remove(Name)
    for (const { Name } of await volumes.list()) if (Name.startsWith(`${name}_`)) await volumes.remove(Name)
    for (const { tags } of await images.list())
      for (const tag of tags) if (tag.startsWith(name)) await images.remove(tag)
    await rm(path.join(this.#scratch, 'bin', name), { force: true })
  }

  async #raw(specs: ReadonlyMap<string, ContainerSpec>): Promise<number> {
    const { containers, networks, volumes } = this.#engine
    const began = performance.now()
    await execa('sh', ['-c', 'tar c -C "$0" . | docker load -q', path.join(this.#scratch, 'archive')])
    const network = {
      driver: 'bridge',
      internal: false,
      attachable: true,
      ipv6: false,
      options: {},
      pools: [],
    }
    await networks.create({ name: `${name}_default`, labels: {}, ...network })
    await volumes.create({ name: `${name}_cache`, driver: 'local', options: {}, labels: {} })
    const ids = []
    for (const [service, spec] of specs) ids.push(await containers.create(`${name}-raw-${service}`, spec))
    for (const id of ids) await containers.start(id)
    for (const id of ids) {
      const document = (await containers.inspect(id))!
      while (!(await runCheck(this.#engine, document)).passed);
    }
    return (performance.now() - began) / 1000
  }

  /** Of the installed services, in the order in which they were started. */
  async #specs(): Promise<Map<string, ContainerSpec>> {
    const specs = new Map<string, ContainerSpec>()
    for (const service of services)
      specs.set(service, copyOf((await this.#engine.containers.inspect(`${name}-${service}-1`))!))
    return specs
  }

  /** The bundle's images as an archive that `docker load` takes whole, its layers compressed as they are. */
  async #unpack(): Promise<void> {
    const folder = path.join(this.#scratch, 'archive')
    await mkdir(folder)
    await execa('tar', ['xf', path.join(this.#folder(''), `${name}-1.0.0-linux-amd64.tar`), '-C', folder])
    const { images } = await this.#manifest()
    const entries = images.map(({ role, config, layers }) => ({
      Config: blob(config.digest),
      RepoTags: [role === 'appliance' ? `${name}:1.0.0` : `${name}-installer:1.0.0`],
      Layers: layers.map(({ digest }) => blob(digest)),
    }))
    const kept = new Set(entries.flatMap(({ Config, Layers }) => [Config, ...Layers]))
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const relative = path.posix.join(path.relative(folder, file.parentPath), file.name)
      if (file.isFile() && !kept.has(relative)) await rm(path.join(folder, relative))
    }
    await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(entries))
  }

  async #manifest(): Promise<BundleFacts> {
    const file = path.join(this.#folder(''), `${name}-1.0.0-linux-amd64.tar`)
    return JSON.parse((await execa('tar', ['xOf', file, 'bundle.json'])).stdout)
  }

  #install() {
    const line = ['sh', path.join(this.#folder(''), 'install.sh'), '--profile', 'branch', ...ports]
    return measure(line, { env: { SLIPWAY_BIN: path.join(this.#scratch, 'bin') } })
  }

  #command(...parameters: string[]) {
    return measure([path.join(this.#scratch, 'bin', name), ...parameters])
  }

  #slipway(...parameters: string[]) {
    const program = path.join(this.#root, 'dist', 'program', 'main.js')
    return measure([process.execPath, program, ...parameters], { cwd: this.#product })
  }

  async #bundle(...more: string[]): Promise<void> {
    const key = ['--key', 'signing.key', '--out', path.join(this.#scratch, 'bundles')]
    await this.#slipway('bundle', '--platform', 'linux/amd64', ...key, ...more)
  }

  async #write(version: string, banner: string): Promise<void> {
    const lines = [
      'extends: slipway-reference',
      `name: ${name}`,
      `version: ${version}`,
      'keys: [signing.pub]',
      `brand: { vendor: Bench, product: Bench, command: ${name}, support: nobody, banner: ${banner} }`,
    ]
    await writeFile(path.join(this.#product, 'appliance.yaml'), `${lines.join('\n')}\n`)
  }

  #folder(which: 'update' | ''): string {
    const folder = which === '' ? `${name}-1.0.0-linux-amd64` : `${name}-1.0.1-linux-amd64-since-1.0.0`
    return path.join(this.#scratch, 'bundles', folder)
  }

  get #product(): string {
    return path.join(this.#scratch, 'product')
  }
}

interface BundleFacts {
  readonly images: readonly {
    readonly role: 'appliance' | 'installer'
    readonly config: { readonly digest: string }
    readonly layers: readonly { readonly digest: string; readonly size: number }[]
  }[]
}

function blob(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
