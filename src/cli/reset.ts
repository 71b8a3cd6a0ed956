import path from 'node:path'
import type { Compose } from '../definition/compose.ts'
import { loadCompose } from '../definition/compose-file.ts'
import type { Definition } from '../definition/definition.ts'
import { loadDefinition } from '../definition/load.ts'
import { profileVariables } from '../definition/profile.ts'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { applyPlan } from '../host/apply.ts'
import { withVolumeNames } from '../host/backup/volume-names.ts'
import { judgeBindSources, readBindSources } from '../host/bind-sources.ts'
import { describePlan } from '../host/describe-plan.ts'
import { refuseFailures } from '../host/finding.ts'
import { inspectHost } from '../host/inspect.ts'
import {
  atLeast,
  empties,
  keptSettings,
  planReset,
  type Reset,
  type ResetLevel,
  resetLevels,
  withSharers,
} from '../host/plan-reset.ts'
import { type ResetItem, type ResetReport, reportReset } from '../host/reset-report.ts'
import type { HostState } from '../host/state.ts'
import { emptyState, type StateDocument } from '../host/state-document.ts'
import { readState, readWholeState, writeState } from '../host/state-volume.ts'
import type { Step } from '../host/step.ts'
import { targetHost } from '../host/target.ts'
import { formatBytes } from '../lib/bytes.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { changeHost } from './change-host.ts'
import { confirm } from './confirm.ts'
import type { Context } from './context.ts'
import { noSuchService } from './drift.ts'
import { chooseAppliance } from './host-name.ts'
import { chooseProfile, withTakenPorts } from './host-plan.ts'
import { printPlan } from './print-plan.ts'

export interface ResetOptions {
  readonly directory: string
  readonly name?: string
  readonly service?: string
  readonly licence?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

interface PreparedReset {
  readonly name: string
  readonly reset: Reset
  readonly steps: readonly Step[]
  /** Asks the Engine for sizes, which it measures: not for nothing. */
  readonly report: () => Promise<ResetReport>
  /** What was remembered cannot be read, and is to be forgotten. */
  readonly isDamaged: boolean
}

/** Puts an appliance, or one service, back: how far, says the level. */
export async function run(
  context: Context,
  options: ResetOptions,
  [text = '']: string[],
): Promise<undefined> {
  const level = readLevel(text)
  if (options.licence && level !== 'factory') {
    throw badInput(
      'licence-kept',
      `reset ${level} never touches a licence; only \`reset factory --licence\` does.`,
    )
  }
  const definition = await loadDefinition(path.resolve(context.cwd, options.directory))
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const shown = await prepare(context, definition, engine, name, level, options)
  const report = await shown.report()
  if (!options.json) show(context, shown.steps, report)
  if (options.dryRun) {
    if (options.json) context.print(toJson(shown, report))
    return
  }
  if (!options.yes && level !== 'restart') await confirm(context, `This resets ${name} to ${level}.`)
  await changeHost(context, engine, name, `reset ${level}`, async ({ check }) => {
    const { steps, isDamaged } = await prepare(context, definition, engine, name, level, options)
    const { signal } = context
    await applyPlan(steps, { engine, report: context.report, signal, check })
    if (isDamaged) await writeState(engine, name, emptyState)
  })
  if (options.json) context.print(toJson(shown, report))
  else
    context.print(
      `${shown.reset.services.join(' and ')} of ${name} ${shown.reset.services.length > 1 ? 'are' : 'is'} reset (${level}) and healthy.`,
    )
}

function readLevel(text: string): ResetLevel {
  const level = resetLevels.find((one) => one === text)
  if (level) return level
  const [near] = nearest(text, resetLevels)
  throw badInput(
    'no-such-level',
    `There is no reset ${text}${near ? `; did you mean ${near}?` : ''} Levels are ${resetLevels.join(', ')}, each with what the former do.`,
  )
}

/** Reads host and product, and plans. Changes nothing. */
async function prepare(
  context: Context,
  definition: Definition,
  engine: Engine,
  name: string,
  level: ResetLevel,
  options: ResetOptions,
): Promise<PreparedReset> {
  const [found, { stored, isDamaged }] = await Promise.all([
    inspectHost(engine, name),
    readStored(engine, name, level),
  ])
  checkInstalled(definition, found, options.service)
  const { service } = options
  const kept = keptSettings(
    stored.settings,
    level,
    service === undefined ? [] : [service],
    service === undefined,
  )
  const chosen = await chooseProfile(
    definition,
    name,
    { directory: definition.directory },
    found,
    { ...stored, settings: kept },
    undefined,
  )
  const reference = `${definition.name}:${definition.version}`
  const variables = { ...profileVariables(chosen.profile), APPLIANCE_IMAGE: reference }
  const compose = await loadCompose(definition, variables)
  // Also a service whose container somebody took away.
  const asked = service === undefined ? compose.services.map(({ name }) => name) : [service]
  const emptied = keysToEmpty(compose, level, asked, options.licence === true)
  const image = { reference, ids: found.containers[0]!.imageIds, size: 0 }
  const named = withVolumeNames(compose, found, emptied)
  const target = targetHost(definition, named, image, name, chosen.profile.name)
  const services = withSharers(target, asked, emptied)
  const reset = { level, services, emptied }
  const anew = target.containers.filter((one) => services.includes(one.service))
  refuseFailures(judgeBindSources(await readBindSources(engine, anew)))
  const settings = { stored: stored.settings, kept }
  const current = await withTakenPorts(context, engine, found, target)
  return {
    name,
    reset,
    steps: planReset(current, target, reset, settings),
    report: () => reportReset(engine, current, target, reset, settings),
    isDamaged,
  }
}

/** From `settings` on, what cannot be read is forgotten as well. */
async function readStored(
  engine: Engine,
  name: string,
  level: ResetLevel,
): Promise<{ stored: StateDocument; isDamaged: boolean }> {
  if (!atLeast(level, 'settings')) return { stored: await readState(engine, name), isDamaged: false }
  const stored = await readWholeState(engine, name)
  return { stored: stored ?? emptyState, isDamaged: stored === undefined }
}

/** Throws `no-such-service`, `other-product`, `other-release`: a reset stands on the definition of what it finds. */
export function checkInstalled(
  definition: Pick<Definition, 'name' | 'version'>,
  { name, containers }: HostState,
  service: string | undefined,
): void {
  if (containers.length === 0) throw noSuchService(name, undefined)
  if (service !== undefined && !containers.some((one) => one.service === service))
    throw noSuchService(name, service)
  const stranger = containers.find(({ product = definition.name }) => product !== definition.name)
  if (stranger) {
    throw badInput(
      'other-product',
      `${stranger.name} is of the product ${stranger.product}, and the product directory of ${definition.name}; name that product's directory with -C, or another appliance with --name.`,
    )
  }
  const other = containers.find(({ release }) => release !== definition.version)
  if (!other) return
  throw badInput(
    'other-release',
    `${other.name} is of release ${other.release}, and the product directory of ${definition.version}; name the directory of that release with -C, or \`${commandName()} install\` this one.`,
  )
}

/** Keys of the volumes that the services mount and the level empties. */
function keysToEmpty(
  compose: Compose,
  level: ResetLevel,
  services: readonly string[],
  licence: boolean,
): string[] {
  const mounted = compose.services
    .filter(({ name }) => services.includes(name))
    .flatMap(({ mounts }) => mounts.filter(({ type }) => type === 'volume').map(({ source }) => source))
  return compose.volumes
    .filter((volume) => mounted.includes(volume.key) && empties(level, volume, licence))
    .map(({ key }) => key)
}

function toJson({ name, reset, steps }: PreparedReset, report: ResetReport): string {
  const { level, services } = reset
  return JSON.stringify({ name, level, services, ...report, changes: describePlan(steps), steps }, null, 2)
}

function show(context: Context, steps: readonly Step[], report: ResetReport): void {
  printPlan(context, steps)
  context.print(`Goes:  ${list(report.goes)}`)
  context.print(`Stays: ${list(report.stays)}`)
}

function list(items: readonly ResetItem[]): string {
  return items.map(describe).join(', ') || 'nothing'
}

function describe({ kind, name, bytes, holds }: ResetItem): string {
  const size = bytes === undefined ? [] : [formatBytes(bytes)]
  if (kind === 'setting') return `the setting ${name}`
  if (kind === 'container')
    return [`what ${name} wrote over its image`, ...size.map((text) => `(${text})`)].join(' ')
  const facts = [...(holds ? [holds] : []), ...size]
  return `the volume ${name}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`
}
