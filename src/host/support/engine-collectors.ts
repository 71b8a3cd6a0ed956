import type { ContainerDocument } from '../../engine/documents.ts'
import type { Engine } from '../../engine/engine.ts'
import { ownLabels } from '../labels.ts'
import { ownContainers, readDrift, type ServiceDrift } from '../read-drift.ts'
import { readState } from '../state-volume.ts'
import { readStatus } from '../status.ts'
import type { Collector, Finding } from './collect.ts'

/** Lines of each service's log. */
const logLines = 20_000
/** Seconds that events go back. */
const eventSpan = 24 * 3600

/**
 * What an Engine knows of an appliance. `reach` gives the Engine, or throws why none answers: then each of these notes
 * that, and what needs no Engine is still in the bundle.
 */
export function engineCollectors(reach: () => Promise<Engine>, name: string): Collector[] {
  const collector = (
    what: string,
    budget: number,
    collect: (engine: Engine, signal: AbortSignal) => Promise<readonly Finding[]>,
  ): Collector => ({ name: what, budget, collect: async (signal) => collect(await reach(), signal) })
  const eachService = async (
    engine: Engine,
    look: (document: ContainerDocument, file: string) => Promise<Finding>,
  ): Promise<Finding[]> => {
    const documents = await ownContainers(engine, name)
    if (documents.length === 0) throw new Error(`${name} has no service on this host.`)
    return Promise.all(documents.map((one) => look(one, one.Name.replace(/^\//, ''))))
  }
  return [
    collector('engine', 10_000, async (engine) => [
      {
        path: 'engine.json',
        value: { address: engine.endpoint.address, ...engine.version, info: await engine.info() },
      },
    ]),
    collector('status', 15_000, async (engine) => [
      { path: 'status.json', value: await readStatus(engine, name) },
    ]),
    collector('state', 10_000, async (engine) => [
      { path: 'state.json', value: await readState(engine, name) },
    ]),
    collector('inspect', 15_000, (engine) =>
      eachService(engine, async (document, file) => ({ path: `inspect/${file}.json`, value: document })),
    ),
    collector('health', 15_000, (engine) =>
      eachService(engine, async ({ State, RestartCount }, file) => ({
        path: `health/${file}.json`,
        value: { restarts: RestartCount, ...State },
      })),
    ),
    collector('limits', 15_000, (engine) =>
      eachService(engine, async (document, file) => ({
        path: `limits/${file}.json`,
        value: await readLimits(engine, document),
      })),
    ),
    collector('logs', 30_000, (engine, signal) =>
      eachService(engine, async ({ Id }, file) => ({
        path: `logs/${file}.log`,
        text: await readLog(engine, Id, signal),
      })),
    ),
    collector('events', 10_000, (engine, signal) => readEvents(engine, name, signal)),
    collector('drift', 60_000, async (engine) =>
      driftFindings(await readDrift(engine, name, { diff: true })),
    ),
    collector('disk', 30_000, async (engine) => [{ path: 'disk.json', value: await readDisk(engine, name) }]),
    collector('network', 10_000, async (engine) => {
      const own = (await engine.networks.list()).filter(
        ({ Labels }) => Labels?.[ownLabels.appliance] === name,
      )
      const networks = await Promise.all(own.map(({ Id }) => engine.networks.inspect(Id)))
      return [{ path: 'network.json', value: networks }]
    }),
  ]
}

async function readLimits(engine: Engine, { Id, HostConfig, State }: ContainerDocument): Promise<object> {
  const { Memory, MemorySwap, PidsLimit, NanoCpus, RestartPolicy, Ulimits } = HostConfig
  return {
    configured: { Memory, MemorySwap, PidsLimit, NanoCpus, RestartPolicy, Ulimits },
    ...(State.Running && {
      memory: await engine.containers.memory(Id),
      // The Engine asks its host's ps, which not every host has.
      processes: await engine.containers.top(Id).catch((error: Error) => error.message),
    }),
  }
}

async function readLog(engine: Engine, id: string, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  const query = { lines: logLines, timestamps: true, signal }
  for await (const { data } of engine.containers.streamLogs(id, query)) chunks.push(data)
  return Buffer.concat(chunks).toString('utf8')
}

/** Up to now by the Engine's own clock, so that it does not wait for more. */
async function readEvents(engine: Engine, name: string, signal: AbortSignal): Promise<Finding[]> {
  const until = Math.floor(Date.parse((await engine.info()).time) / 1000)
  const query = { since: until - eventSpan, until, labels: { [ownLabels.appliance]: name }, signal }
  const lines: string[] = []
  for await (const event of engine.events(query)) {
    // Labels come with every event; `inspect` has them once.
    const attributes = Object.entries(event.attributes).filter(([key]) => !key.includes('.'))
    lines.push(JSON.stringify({ ...event, attributes: Object.fromEntries(attributes) }))
  }
  return [{ path: 'events.jsonl', text: lines.map((line) => `${line}\n`).join('') }]
}

/** Of files that hold secrets by their nature, it stays at the fact that they changed. */
function driftFindings(services: readonly ServiceDrift[]): Finding[] {
  const facts = services.map((one) => ({ ...one, paths: one.paths.map(({ diff: _, ...fact }) => fact) }))
  const diffs = services.flatMap(({ service, paths }) =>
    paths
      .filter(({ path, diff }) => diff && !isSecretPath(path))
      .flatMap(({ diff = [] }) => [`# ${service}`, ...diff]),
  )
  return [
    { path: 'drift.json', value: facts },
    { path: 'drift.diff', text: diffs.map((line) => `${line}\n`).join('') },
  ]
}

/** Licences, keys, password files. */
export function isSecretPath(path: string): boolean {
  return /licen[cs]e|\.lic$|\.key$|\.pem$|\.p12$|\/(private|\.?ssh|g?shadow)|passw|secret|credential|token/i.test(
    path,
  )
}

async function readDisk(engine: Engine, name: string): Promise<object> {
  const [usage, volumes, containers] = await Promise.all([
    engine.diskUsage(),
    engine.volumes.list(),
    engine.containers.list({ [ownLabels.appliance]: name }),
  ])
  const own = volumes.filter(({ Labels }) => Labels?.[ownLabels.appliance] === name)
  return {
    volumes: own.map((volume) => ({
      ...volume,
      size: usage.volumes.find((one) => one.name === volume.Name)?.size,
    })),
    containers: containers.map(({ id, name: container }) => ({
      container,
      written: usage.containers.find((one) => one.id === id)?.written,
    })),
  }
}
