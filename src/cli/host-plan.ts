import { composeVariables, loadCompose } from '../definition/compose-file.ts'
import type { Definition } from '../definition/definition.ts'
import { type Profile, profileVariables } from '../definition/profile.ts'
import { loadProfile, profileNames } from '../definition/profile-load.ts'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import type { BackupHeader } from '../host/backup/format.ts'
import { planRestore, refuseOtherBackup, volumeKeys } from '../host/backup/plan-restore.ts'
import { withVolumeNames } from '../host/backup/volume-names.ts'
import { newPorts } from '../host/conflicts.ts'
import { inspectHost } from '../host/inspect.ts'
import { withLicence } from '../host/licence/plan-licence.ts'
import { refuseOtherProduct } from '../host/other-product.ts'
import { planHost } from '../host/plan.ts'
import { withStateSteps } from '../host/plan-state.ts'
import { findPortContainer, findPortHolder } from '../host/port-holder.ts'
import { probePorts } from '../host/port-probe.ts'
import { withSettings, withStoredSettings } from '../host/settings.ts'
import type { HostState } from '../host/state.ts'
import { emptyState, type StateDocument } from '../host/state-document.ts'
import { readState, readWholeState } from '../host/state-volume.ts'
import type { Step } from '../host/step.ts'
import { mergeSettings, type Settings } from '../host/stored-settings.ts'
import { type HostTarget, targetHost, targetImage } from '../host/target.ts'
import type { ImageSource } from '../image/image-source.ts'
import { badInput } from '../lib/errors.ts'
import { typedWord } from '../lib/typed-word.ts'
import { checkName } from './appliance-name.ts'
import type { Context } from './context.ts'
import { openSource, type SourceOptions } from './install-source.ts'
import { noLicence, prepareLicence } from './prepare-licence.ts'

/** What `plan` and `install` read alike. */
export interface InstallOptions extends SourceOptions {
  readonly profile?: string
  readonly name?: string
  readonly set?: readonly string[]
  readonly unset?: readonly string[]
  readonly licence?: string
  /** The other product in whose place this one may come. */
  readonly replace?: string
  readonly json?: boolean
}

/** As an install, towards what a backup says. */
export interface RestoreSource {
  readonly header: BackupHeader
  readonly file: string
}

export interface PreparedInstall {
  readonly engine: Engine
  readonly image: ImageSource
  readonly current: HostState
  readonly target: HostTarget
  readonly profile: Profile
  /** Settings of this site, as they are to be. */
  readonly settings: Settings
  readonly steps: readonly Step[]
  /** What was remembered cannot be read, and a restore is to begin it anew. */
  readonly isDamaged: boolean
  /** The licence file that `write-licence` writes. */
  readonly licence?: string
  /** Looks at the host once more and plans anew: for when nobody else changes it. */
  readonly again: () => Promise<PreparedInstall>
}

/** What is to be installed, and where: read and checked. */
export interface OpenedInstall {
  readonly engine: Engine
  /** Looks at the host, and plans the way there. Changes nothing. */
  readonly prepare: () => Promise<PreparedInstall>
}

/** Reads the product, the built image and the host, and plans the way from one to the other. Changes nothing. */
export async function prepareInstall(
  context: Context,
  options: InstallOptions,
  layout: string | undefined,
  source?: RestoreSource,
): Promise<PreparedInstall> {
  return (await openInstall(context, options, layout, source)).prepare()
}

/** As `prepareInstall`, before it looks at the host. */
export async function openInstall(
  context: Context,
  options: InstallOptions,
  layout: string | undefined,
  source?: RestoreSource,
): Promise<OpenedInstall> {
  const engine = await connectEngine(context.env)
  const { definition, image } = await openSource(context, options, layout, engine)
  const name = options.name ?? definition.name
  checkName(name)
  if (source) refuseOtherBackup(source.header, definition.name, source.file)
  const reference = `${definition.name}:${definition.version}`
  const wanted = targetImage(reference, image)
  const prepare = async (): Promise<PreparedInstall> => {
    // A backup brings settings of its own: it mends what is remembered here.
    const [found, whole] = await Promise.all([
      inspectHost(engine, name),
      source ? readWholeState(engine, name) : readState(engine, name),
      hidesPorts(context, engine),
    ])
    refuseOtherProduct(found, definition.name, options.replace)
    const stored = whole ?? emptyState
    const base = source ? { ...stored, settings: source.header.settings } : stored
    const { profile, settings } = await chooseProfile(definition, name, options, found, base, source)
    const variables = { ...profileVariables(profile), APPLIANCE_IMAGE: reference }
    const declared = await loadCompose(definition, variables)
    const compose = withVolumeNames(declared, found, source ? volumeKeys(source.header) : [])
    const target = targetHost(definition, compose, wanted, name, profile.name)
    const current = await withTakenPorts(context, engine, found, target)
    const release = { release: definition.version, image: image.config.digest, profile: profile.name }
    const planned = source ? planRestore(current, target, source.header) : planHost(current, target)
    const { change, text, notes } = source
      ? noLicence
      : await prepareLicence(context, engine, definition, compose, current, options.licence)
    for (const note of notes) context.report({ type: 'note', text: note })
    const licensed = change ? withLicence(planned, current, target, change) : planned
    const steps = withStateSteps(licensed, current, stored, { settings, release })
    const licence = text === undefined ? {} : { licence: text }
    const isDamaged = whole === undefined
    const host = { engine, image, current, target, profile, settings }
    return { ...host, steps, isDamaged, ...licence, again: prepare }
  }
  return { engine, prepare }
}

/** The profile with this site's settings over it: the stored ones, changed by the command. */
export async function chooseProfile(
  definition: Definition,
  name: string,
  options: InstallOptions,
  current: HostState,
  stored: StateDocument,
  source: RestoreSource | undefined,
): Promise<{ profile: Profile; settings: Settings }> {
  // A container stays where another profile gives it other memory alone: its label tells of the profile that made it.
  const made = current.containers.find((one) => one.profile !== '')?.profile
  const former = stored.history.at(-1)?.profile ?? made
  const names = await profileNames(definition)
  const chosen =
    options.profile ?? source?.header.profile ?? former ?? (names.length === 1 ? names[0] : undefined)
  if (chosen === undefined) {
    throw badInput(
      'no-profile',
      `Say for which site with --profile: ${names.join(', ') || 'profiles/ holds none'}.`,
    )
  }
  const profile = await loadProfile(definition, chosen)
  const compose = await loadCompose(definition, profileVariables(profile))
  const services = compose.services.map((service) => service.name)
  const set = options.set ?? []
  const variables = await composeVariables(definition)
  withSettings(profile, set, services, variables)
  const settings = mergeSettings(stored.settings, { set, unset: options.unset ?? [] }, name)
  const verb = source ? `restore ${typedWord(source.file)}` : 'install'
  return { profile: withStoredSettings(profile, settings, services, variables, verb), settings }
}

const hiding = new WeakMap<Engine, Promise<boolean>>()

/** Whether ports that the Engine publishes are not this machine's, or cannot be seen from where this runs. Asked once. */
function hidesPorts({ env }: Pick<Context, 'env'>, engine: Engine): Promise<boolean> {
  const { transport } = engine.endpoint
  const ask = async (): Promise<boolean> => {
    if (transport !== 'unix' && transport !== 'npipe') return true
    return Boolean(env.SLIPWAY_PRODUCT) && (await engine.info()).operatingSystem === 'Docker Desktop'
  }
  const known = hiding.get(engine) ?? ask()
  hiding.set(engine, known)
  return known
}

/**
 * Adds the ports that other programs of this machine hold, where the Engine is this machine's: not Docker Desktop, which
 * publishes outside the virtual machine that its containers see.
 */
export async function withTakenPorts(
  { env }: Pick<Context, 'env'>,
  engine: Engine,
  current: HostState,
  target: HostTarget,
): Promise<HostState> {
  if (await hidesPorts({ env }, engine)) return current
  const known = current.foreign.ports
  const wanted = newPorts(current, target).filter((port) => !known.some((one) => one.port === port.port))
  const taken = await Promise.all(
    (await probePorts(wanted)).map(async (port) => {
      const protocol = port.protocol === 'udp' ? 'udp' : 'tcp'
      const { name, pid } = (await findPortHolder(port.port, protocol))?.process ?? {}
      if (name) return { ...port, holder: `${name} (process ${pid})` }
      const container = await findPortContainer(engine, port.port, protocol)
      return { ...port, holder: container ? `container ${container}` : 'another program' }
    }),
  )
  return { ...current, foreign: { ...current.foreign, ports: [...known, ...taken] } }
}
