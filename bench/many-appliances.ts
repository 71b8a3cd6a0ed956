import { parseCompose } from '../src/definition/compose-parse.ts'
import type { ContainerSpec } from '../src/engine/documents.ts'
import type { Engine } from '../src/engine/engine.ts'
import { loadImage } from '../src/engine/load-image.ts'
import { ownLabels, roles } from '../src/host/labels.ts'
import { targetHost, targetImage } from '../src/host/target.ts'
import { readLayout } from '../src/image/read-layout.ts'
import { mapParallel } from '../src/lib/parallel.ts'
import { silent } from '../src/lib/progress.ts'
import { busyboxLayer, writeTinyLayout } from '../test/support/tiny-layout.ts'

export interface ManyAppliances {
  readonly containers: readonly string[]
  remove(): Promise<void>
}

const compose = (service: string): string =>
  [
    `  ${service}:`,
    '    image: tiny',
    '    init: true',
    '    stop_grace_period: 1s',
    '    mem_limit: 16m',
    '    healthcheck: { test: [CMD, /bin/busybox, "true"] }',
  ].join('\n')

/**
 * Starts `count` appliances of two small services each, as an install would leave them, with the container that holds
 * the state. They share no network and have none, since an Engine hands out about thirty.
 */
export async function startMany(
  engine: Engine,
  scratch: string,
  prefix: string,
  count: number,
): Promise<ManyAppliances> {
  await writeTinyLayout(scratch, [await busyboxLayer(), { 'etc/name': prefix }])
  const source = await readLayout(scratch, 'linux/amd64')
  const reference = `${prefix}:1.0.0`
  await loadImage(engine, source, [reference], silent)
  const parsed = parseCompose(`services:\n${compose('first')}\n${compose('second')}\n`, {})
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  const specs = names.flatMap((name) => {
    const definition = { name: prefix, version: '1.0.0', composeFile: '/compose/appliance.yaml' }
    const target = targetHost(definition, parsed, targetImage(reference, source), name, 'bench')
    const services = target.containers.map((one) => ({ name: one.name, spec: withoutNetwork(one.spec) }))
    const labels = { [ownLabels.appliance]: name, [ownLabels.role]: roles.state }
    const state = { Image: reference, Labels: labels, HostConfig: { NetworkMode: 'none' } }
    return [...services, { name: `${name}-state`, spec: state }]
  })
  const created: string[] = []
  const remove = async (): Promise<void> => {
    await mapParallel(created, { limit: 4 }, (id) => engine.containers.remove(id))
    await engine.images.remove(reference)
  }
  try {
    await mapParallel(specs, { limit: 4 }, async ({ name, spec }) => {
      created.push(await engine.containers.create(name, spec))
      if (spec.Labels[ownLabels.role] === undefined) await engine.containers.start(name)
    })
  } catch (error) {
    await remove()
    throw error
  }
  return { containers: created, remove }
}

function withoutNetwork({ NetworkingConfig: _, ...spec }: ContainerSpec): ContainerSpec {
  return { ...spec, HostConfig: { ...spec.HostConfig, NetworkMode: 'none' } }
}
