import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { installPackages, missingPackages } from '../src/cli/demo/apt.ts'
import { ensureEngine } from '../src/cli/demo/engine-setup.ts'
import { connectEngine } from '../src/engine/connect.ts'
import type { Engine } from '../src/engine/engine.ts'
import { ByteRelay } from './byte-relay.ts'
import { between, copyOf, HostBench, services } from './host-bench.ts'
import { startMany } from './many-appliances.ts'
import { compared, head, measure, type Row, showSeconds, table } from './measure.ts'

const rounds = 3
const appliances = 50

/** How fast an appliance is installed, reset, upgraded and looked at. Needs root, an Engine and docker-compose. */
export async function run(root: string): Promise<void> {
  const say = (line: string): void => console.log(line)
  const missing = await missingPackages(['busybox-static', 'docker-compose'])
  if (missing.length > 0) await installPackages(missing, { say, logFile: '/var/log/slipway-setup.log' })
  const own = await ensureEngine({ say, env: process.env, connect: connectEngine })
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-bench-'))
  try {
    const engine = await connectEngine()
    const bench = await HostBench.open(engine, root, scratch)
    try {
      const rows: Row[] = []
      for (const part of [timeInstall, timeResets, countUpgrade, timeStatus]) {
        for (const row of await part(bench)) {
          rows.push(row)
          console.error(row.slice(0, 4).join(' · '))
        }
      }
      say(table([head, ...rows]))
      say(`\nMedians of ${rounds} runs, taken in turn. Docker Engine ${engine.version.engine}.`)
    } finally {
      await bench.close()
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
    await own.stop()
  }
}

/** Leaves both appliances installed. */
async function timeInstall(bench: HostBench): Promise<Row[]> {
  const ours: number[] = []
  const whole: number[] = []
  const theirs: number[] = []
  const byEngine: number[] = []
  // Brings the image.
  await bench.install()
  for (let round = 0; round < rounds; round++) {
    await bench.uninstall()
    const { seconds, lines } = await bench.install()
    whole.push(seconds)
    ours.push(lines.findLast(({ text }) => /^✔ wait for/.test(text))!.at)
    await bench.compose('down', '--volumes')
    const began = performance.now()
    await bench.compose('up', '-d')
    const containers = await Promise.all(services.map((one) => bench.container(bench.rival, one)))
    await bench.untilServing(containers)
    theirs.push(since(began))
    await bench.untilEngineSaysHealthy(containers)
    byEngine.push(since(began))
  }
  const what = 'install of a loaded image, to healthy'
  return [
    compared(what, ours, 'docker-compose up -d, then the checks at once', theirs, 'at most 1×'),
    compared(what, ours, 'docker-compose up -d, then the Engine’s health', byEngine, 'at most 1×'),
    ['the same, the whole command', showSeconds(whole), '', '', ''],
  ]
}

async function timeResets(bench: HostBench): Promise<Row[]> {
  const rows: Row[] = []
  for (const service of services) {
    const [gaps, floors, fresh, whole, theirs]: number[][] = [[], [], [], [], []] as const
    for (let round = 0; round < rounds; round++) {
      const reset = await bench.slipway([
        'reset',
        'clean',
        '--service',
        service,
        '--name',
        bench.name,
        '--yes',
      ])
      whole!.push(reset.seconds)
      gaps!.push(between(reset.lines, /^✔ create container/, /^✔ wait for/))
      const raw = await timeRaw(bench, service)
      floors!.push(raw.swapped)
      fresh!.push(raw.made)
      const began = performance.now()
      await bench.compose('up', '-d', '--force-recreate', '--no-deps', service)
      await bench.untilServing([await bench.container(bench.rival, service)])
      theirs!.push(since(began))
    }
    const floor = 'kill, start, checks at once, by raw Engine calls'
    const compose = 'docker-compose up --force-recreate, checks at once'
    rows.push(
      compared(
        `reset clean of ${service}: old one stopped to new one healthy`,
        gaps!,
        floor,
        floors!,
        'at most 1.5×',
      ),
      compared(
        `reset clean of ${service}: old one stopped to new one healthy`,
        gaps!,
        compose,
        theirs!,
        'at most 0.5×',
      ),
      compared(`reset clean of ${service}: the whole command`, whole!, compose, theirs!, ''),
      [`a new container of ${service}, created to serving`, showSeconds(fresh!), '', '', 'under 0.5 s'],
    )
  }
  return rows
}

/** What no reset can be quicker than; and how long a container takes from nothing. Leaves everything as it was. */
async function timeRaw(bench: HostBench, service: string): Promise<{ swapped: number; made: number }> {
  const { containers } = bench.engine
  const former = await bench.container(bench.name, service)
  const spec = copyOf(former)
  const timed = async (work: () => Promise<string>): Promise<number> => {
    const began = performance.now()
    const id = await work()
    await bench.untilServing([(await containers.inspect(id))!])
    const seconds = since(began)
    await containers.remove(id)
    return seconds
  }
  const next = await containers.create(`${bench.name}-raw-next`, spec)
  const swapped = await timed(async () => {
    await containers.kill(former.Id)
    await containers.start(next)
    return next
  })
  const made = await timed(async () => {
    const id = await containers.create(`${bench.name}-raw-new`, spec)
    await containers.start(id)
    return id
  })
  await containers.start(former.Id)
  await bench.untilServing([former])
  return { swapped, made }
}

async function countUpgrade(bench: HostBench): Promise<Row[]> {
  await bench.rebrand()
  const socket = path.join(bench.scratch, 'engine.sock')
  const relay = await ByteRelay.start(socket, socketOf(bench.engine))
  try {
    const { seconds } = await bench.install({ env: { DOCKER_HOST: `unix://${socket}` } })
    const bytes = `${(relay.sent / 1e3).toFixed(0)} kB`
    const what = 'upgrade where only the brand differs: bytes to the Engine'
    return [[what, bytes, `in ${seconds.toFixed(1)} s`, '', 'under 1 MB']]
  } finally {
    relay.close()
  }
}

function socketOf({ endpoint }: Engine): string {
  if (endpoint.socketPath) return endpoint.socketPath
  throw new Error('This bench needs an Engine at a socket of this machine; unset DOCKER_HOST.')
}

async function timeStatus(bench: HostBench): Promise<Row[]> {
  const folder = path.join(bench.scratch, 'many')
  const many = await startMany(bench.engine, folder, `${bench.name}-many`, appliances)
  try {
    const ours: number[] = []
    const theirs: number[] = []
    for (let round = 0; round < rounds; round++) {
      // 1: another appliance of this host is not well.
      ours.push((await bench.slipway(['status', '--json'], { accepted: 1 })).seconds)
      theirs.push((await measure(['docker', 'inspect', ...many.containers])).seconds)
    }
    const what = `status of ${appliances} appliances, ${2 * appliances} services`
    return [compared(what, ours, 'docker inspect of the same, one command', theirs, 'under 1 s')]
  } finally {
    await many.remove()
  }
}

function since(began: number): number {
  return (performance.now() - began) / 1000
}
