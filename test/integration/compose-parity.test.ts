import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadDefinition } from '../../src/definition/load.ts'
import { connectEngine } from '../../src/engine/connect.ts'
import type { ContainerDocument } from '../../src/engine/documents.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { builtImage } from '../support/built-image.ts'
import { slipway } from '../support/slipway.ts'

const ours = `slipway-parity-${process.pid}`
const theirs = `compose-parity-${process.pid}`
const { layoutDirectory, productDirectory } = builtImage()

let engine: Engine
let image: string

beforeAll(async () => {
  engine = await connectEngine()
  const { name, version } = await loadDefinition(productDirectory)
  image = `${name}:${version}`
})

afterAll(async () => {
  await slipway(['uninstall', '--name', ours, '--yes'])
  await compose(['down', '--volumes'])
})

function compose(parameters: readonly string[]) {
  const file = path.join(productDirectory, 'compose', 'appliance.yaml')
  return execa('docker-compose', ['-f', file, '-p', theirs, ...parameters], {
    env: { APPLIANCE_IMAGE: image, DNS_PORT: '26053', OPTIMISER_PORT: '26128' },
    reject: false,
    all: true,
  })
}

/** What one side made, by service. */
async function documentsOf(project: string): Promise<Record<string, ContainerDocument>> {
  const summaries = await engine.containers.list({ 'com.docker.compose.project': project })
  const documents = await Promise.all(summaries.map(({ id }) => engine.containers.inspect(id)))
  return Object.fromEntries(
    documents.map((document) => [document!.Config.Labels['com.docker.compose.service'], document!]),
  )
}

/** Names that must differ: the container's own ID, the project's name, the host ports. */
function normalise(document: ContainerDocument, project: string): unknown {
  const id = document.Id
  const text = JSON.stringify(document)
    .replaceAll(id, 'ID')
    .replaceAll(id.slice(0, 12), 'ID')
    .replaceAll(project, 'PROJECT')
    .replaceAll(/"2[56](053|128)"/g, '"PORT$1"')
  // A health check may run at this very moment.
  const { Name, Created, State, NetworkSettings, GraphDriver, ExecIDs, ...rest } = JSON.parse(text)
  return sortLists(
    dropEmpty({
      ...rest,
      Config: { ...rest.Config, Labels: ownLabels(rest.Config.Labels) },
      Health: State.Health.Status,
      Ports: NetworkSettings.Ports,
      Networks: Object.fromEntries(
        Object.entries<{ Aliases: string[] }>(NetworkSettings.Networks).map(([network, { Aliases }]) => [
          network,
          Aliases,
        ]),
      ),
    }),
  )
}

/** Labels that either side adds for its own book-keeping are not part of the container. */
function ownLabels(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => !/^(io\.slipway|com\.docker\.compose)\./.test(key)),
  )
}

/** The Engine says null, [] or {} for the same nothing, and "" or "no" for the same restart policy. */
function dropEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropEmpty)
  if (typeof value !== 'object' || value === null) return value === 'no' ? '' : value
  const entries = Object.entries(value).map(([key, item]) => [key, dropEmpty(item)] as const)
  return Object.fromEntries(entries.filter(([, item]) => !isNothing(item)))
}

function isNothing(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value as object).length === 0)
}

/** Only of texts: their order means nothing in environment, aliases and capabilities; commands are compared whole. */
function sortLists(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const ordered = ['Cmd', 'Entrypoint', 'Test', 'Args'].includes(key)
    const items = value.map((item) => sortLists(item))
    return ordered ? items : items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, sortLists(item, name)]))
}

async function untilHealthy(project: string): Promise<Record<string, ContainerDocument>> {
  for (;;) {
    const documents = await documentsOf(project)
    const health = Object.values(documents).map((document) => document.State.Health?.Status)
    if (health.length > 0 && health.every((status) => status === 'healthy')) return documents
    expect(health).not.toContain('unhealthy')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

describe('the same Compose file and image', () => {
  it('give docker-compose and slipway containers equal in every field', async () => {
    const installed = await slipway([
      ...['-C', productDirectory, 'install', layoutDirectory, '--name', ours, '--profile', 'branch'],
      ...['--set', 'dns.port=25053', '--set', 'optimiser.port=25128'],
    ])
    expect(installed).toMatchObject({ exitCode: 0 })
    const up = await compose(['up', '-d'])
    expect(up).toMatchObject({ exitCode: 0 })

    const [mine, other] = [await untilHealthy(ours), await untilHealthy(theirs)]
    expect(Object.keys(mine).sort()).toEqual(['dns', 'optimiser'])
    for (const service of ['dns', 'optimiser']) {
      expect(normalise(mine[service]!, ours)).toEqual(normalise(other[service]!, theirs))
    }
  })

  it('give networks and volumes of the same settings under the same names', async () => {
    const inspect = async (kind: string, project: string, key: string) => {
      const { stdout } = await execa('docker', [kind, 'inspect', `${project}_${key}`])
      const { Name, Driver, Options, Internal, Attachable, EnableIPv6, Labels } = JSON.parse(stdout)[0]
      return dropEmpty({
        Driver,
        Options,
        Internal,
        Attachable,
        EnableIPv6,
        Name: Name.replace(project, 'PROJECT'),
        Labels: ownLabels(Labels),
      })
    }
    expect(await inspect('network', ours, 'default')).toEqual(await inspect('network', theirs, 'default'))
    expect(await inspect('volume', ours, 'cache')).toEqual(await inspect('volume', theirs, 'cache'))
  })

  it("are a project to Compose too: docker-compose lists slipway's containers", async () => {
    const file = path.join(productDirectory, 'compose', 'appliance.yaml')
    const { stdout } = await execa('docker-compose', ['-f', file, '-p', ours, 'ps', '--services'])
    const { stdout: ids } = await execa('docker-compose', ['-f', file, '-p', ours, 'ps', '-q'])
    expect(stdout.split('\n').sort()).toEqual(['dns', 'optimiser'])
    const documents = Object.values(await documentsOf(ours)).map((document) => document.Id)
    expect(ids.split('\n').sort()).toEqual(documents.sort())
  })
})
