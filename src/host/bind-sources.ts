import type { Engine } from '../engine/engine.ts'
import { type Finding, fail, pass } from './finding.ts'
import type { TargetContainer } from './target.ts'

/** A path of the Engine's host that a service mounts. */
export interface BindSource {
  readonly service: string
  readonly path: string
  readonly isThere: boolean
}

/** No Engine has it: asking for a container of it makes none. */
const noImage = 'slipway-no-such-image:0'

/**
 * Looks whether what containers to be made mount from the Engine's host is there. Changes nothing: an Engine holds
 * mounts against its host's files before it looks for the image, and that is never there.
 */
export async function readBindSources(
  engine: Engine,
  containers: readonly TargetContainer[],
): Promise<BindSource[]> {
  const sources = containers.flatMap(({ service, spec }) =>
    // "/etc/acme.key:/run/key:ro"; the name of a volume has no slash.
    (spec.HostConfig.Binds ?? []).flatMap((bind) => {
      const [, path = ''] = /^(.+):\/[^:]+:r[ow]$/.exec(bind) ?? []
      return /[\\/]/.test(path) ? [{ service, path }] : []
    }),
  )
  return Promise.all(
    sources.map(async (source) => ({ ...source, isThere: await isThere(engine, source.path) })),
  )
}

async function isThere(engine: Engine, path: string): Promise<boolean> {
  const mount = { Type: 'bind', Source: path, Target: '/source', ReadOnly: true } as const
  const spec = { Image: noImage, Labels: {}, HostConfig: { NetworkMode: 'none', Mounts: [mount] } }
  const refusal = await engine.containers.create('slipway-mounts', spec).then(
    (id) => engine.containers.remove(id),
    (error: Error) => error,
  )
  return !/bind source path does not exist/i.test(refusal?.message ?? '')
}

/** A Docker Engine makes an empty folder of what is missing, which the service then takes for its file. Pure. */
export function judgeBindSources(sources: readonly BindSource[]): Finding[] {
  const paths = [...new Set(sources.map(({ path }) => path))]
  return paths.map((path) => {
    const users = sources.filter((one) => one.path === path)
    const services = users.map(({ service }) => service).join(' and ')
    const says = `${path} of the Engine's host, which ${services} mounts,`
    if (users.every(({ isThere }) => isThere)) return pass('mount', `${says} is there`)
    const fix = 'put it there, or let the profile name another, then run the same command again'
    return fail('mount', `${says} is not there`, fix)
  })
}
