import path from 'node:path'
import type { Definition } from '../definition/definition.ts'
import { loadDefinition } from '../definition/load.ts'
import { type Profile, profileVariables } from '../definition/profile.ts'
import { loadProfile, profileNames } from '../definition/profile-load.ts'
import { loadCompose } from '../definition/runtime-check.ts'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { newPorts } from '../host/conflicts.ts'
import { inspectHost } from '../host/inspect.ts'
import { planHost } from '../host/plan.ts'
import { findPortHolder } from '../host/port-holder.ts'
import { probePorts } from '../host/port-probe.ts'
import { withSettings } from '../host/settings.ts'
import type { HostState } from '../host/state.ts'
import type { Step } from '../host/step.ts'
import { type HostTarget, targetHost, targetImage } from '../host/target.ts'
import type { ImageSource } from '../image/image-source.ts'
import { readLayout } from '../image/read-layout.ts'
import { badInput } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { enginePlatform } from './platform-option.ts'

/** What `plan` and `install` read alike. */
export interface InstallOptions {
  readonly directory: string
  readonly profile?: string
  readonly name?: string
  readonly set?: readonly string[]
  readonly json?: boolean
}

export interface PreparedInstall {
  readonly engine: Engine
  readonly image: ImageSource
  readonly current: HostState
  readonly target: HostTarget
  readonly steps: readonly Step[]
}

/** Reads the product, the built image and the host, and plans the way from one to the other. Changes nothing. */
export async function prepareInstall(
  context: Context,
  options: InstallOptions,
  layout: string | undefined,
): Promise<PreparedInstall> {
  const definition = await loadDefinition(path.resolve(context.cwd, options.directory))
  const name = options.name ?? definition.name
  checkName(name)
  const engine = await connectEngine(context.env)
  const directory = layout ? path.resolve(context.cwd, layout) : path.join(definition.directory, 'build')
  const [image, found] = await Promise.all([
    readLayout(directory, enginePlatform(engine.version.architecture)),
    inspectHost(engine, name),
  ])
  checkRelease(definition, image, directory)
  const profile = await chooseProfile(definition, options, found)
  const reference = `${definition.name}:${definition.version}`
  const compose = await loadCompose(definition, { ...profileVariables(profile), APPLIANCE_IMAGE: reference })
  const target = targetHost(definition, compose, targetImage(reference, image), name, profile.name)
  const current = await withTakenPorts(engine, found, target)
  return { engine, image, current, target, steps: planHost(current, target) }
}

async function chooseProfile(
  definition: Definition,
  options: InstallOptions,
  current: HostState,
): Promise<Profile> {
  const installed = current.containers.find((one) => one.profile !== '')?.profile
  const names = await profileNames(definition)
  const name = options.profile ?? installed ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined) {
    throw badInput(
      'no-profile',
      `Say for which site with --profile: ${names.join(', ') || 'profiles/ holds none'}.`,
    )
  }
  const profile = await loadProfile(definition, name)
  const { services } = await loadCompose(definition, profileVariables(profile))
  return withSettings(
    profile,
    options.set ?? [],
    services.map((service) => service.name),
  )
}

/** Adds the ports that other programs of this machine hold, where the Engine is this machine's. */
async function withTakenPorts(engine: Engine, current: HostState, target: HostTarget): Promise<HostState> {
  if (engine.endpoint.transport !== 'unix' && engine.endpoint.transport !== 'npipe') return current
  const known = current.foreign.ports
  const wanted = newPorts(current, target).filter((port) => !known.some((one) => one.port === port.port))
  const taken = await Promise.all(
    (await probePorts(wanted)).map(async (port) => {
      const holder = await findPortHolder(port.port, port.protocol === 'udp' ? 'udp' : 'tcp')
      const { name, pid } = holder?.process ?? {}
      return { ...port, holder: name ? `${name} (process ${pid})` : 'another program' }
    }),
  )
  return { ...current, foreign: { ...current.foreign, ports: [...known, ...taken] } }
}

/** The layout must be of this product and release; labels are what the build wrote. */
function checkRelease(definition: Definition, image: ImageSource, directory: string): void {
  const product = image.labels['io.slipway.product'] ?? definition.name
  const release = image.labels['io.slipway.release'] ?? definition.version
  if (product === definition.name && release === definition.version) return
  throw badInput(
    'other-release',
    `${directory} holds ${product} ${release}, and the definition is ${definition.name} ${definition.version}; \`slipway build\` builds it.`,
  )
}

/** A name is Compose's project and the start of container names. */
export function checkName(name: string): void {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return
  throw badInput(
    'bad-name',
    `--name ${name} cannot be used; write lower-case letters, digits, - and _, such as branch-7.`,
  )
}
