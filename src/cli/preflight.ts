import path from 'node:path'
import { loadCompose } from '../definition/compose-file.ts'
import type { Definition } from '../definition/definition.ts'
import { loadDefinition } from '../definition/load.ts'
import { type Profile, profileVariables } from '../definition/profile.ts'
import { parseSize } from '../definition/size.ts'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { judgeBindSources, readBindSources } from '../host/bind-sources.ts'
import { type Finding, failedFinding, notedFinding, pass, refuseFailures } from '../host/finding.ts'
import { readHostFacts } from '../host/host-facts.ts'
import { inspectHost } from '../host/inspect.ts'
import { refuseOtherProduct } from '../host/other-product.ts'
import { judgeEngine, judgeHost } from '../host/preflight.ts'
import type { HostState } from '../host/state.ts'
import { readState } from '../host/state-volume.ts'
import { type HostTarget, targetHost, targetImage } from '../host/target.ts'
import type { ImageSource } from '../image/image-source.ts'
import { exitCodes, SlipwayError } from '../lib/errors.ts'
import { checkName } from './appliance-name.ts'
import type { Context } from './context.ts'
import { chooseProfile, type InstallOptions, type PreparedInstall, withTakenPorts } from './host-plan.ts'
import { type InstallSource, openSource } from './install-source.ts'
import { type PreparedLicence, prepareLicence } from './prepare-licence.ts'

/** Looks whether the appliance could be installed here, and changes nothing. Exit code 3 where it could not. */
export async function run(context: Context, options: InstallOptions, [layout]: string[]): Promise<number> {
  const findings: Finding[] = []
  const engine = await attempt(() => connectEngine(context.env), 'engine', 'fail', findings)
  if (!engine) {
    const named = options.name ?? (await ownDefinition(context, options)).name
    checkName(named)
    return print(context, options, named, findings)
  }
  findings.push(...judgeEngine(engine.version, engine.endpoint.address))
  const { definition, image } = await findSource(context, options, layout, engine, findings)
  const name = options.name ?? definition.name
  checkName(name)
  const [found, stored] = await Promise.all([inspectHost(engine, name), readState(engine, name)])
  const isOwn = async (): Promise<true> => {
    refuseOtherProduct(found, definition.name, options.replace)
    return true
  }
  // What is there counts as the appliance's own in all that follows.
  if (!(await attempt(isOwn, 'product', 'fail', findings))) return print(context, options, name, findings)
  const { profile } = await chooseProfile(definition, name, options, found, stored, undefined)
  const reference = `${definition.name}:${definition.version}`
  const compose = await loadCompose(definition, { ...profileVariables(profile), APPLIANCE_IMAGE: reference })
  const wanted = image ? targetImage(reference, image) : { reference, ids: [], size: 0 }
  const target = targetHost(definition, compose, wanted, name, profile.name)
  const current = await withTakenPorts(context, engine, found, target)
  findings.push(...(await judge(engine, current, target, profile)))
  const licence = () => prepareLicence(context, engine, definition, compose, current, options.licence)
  const prepared = await attempt(licence, 'licence', 'fail', findings)
  if (prepared) findings.push(...judgeLicence(definition, prepared))
  return print(context, options, name, findings)
}

/** A bundle brings its product along; without the image of a product directory the rest is judged all the same. */
async function findSource(
  context: Context,
  options: InstallOptions,
  layout: string | undefined,
  engine: Engine,
  findings: Finding[],
): Promise<{ readonly definition: Definition; readonly image?: ImageSource }> {
  const open = (): Promise<InstallSource> => openSource(context, options, layout, engine)
  if (options.bundle !== undefined) return open()
  const definition = await ownDefinition(context, options)
  return (await attempt(open, 'image', 'warn', findings)) ?? { definition }
}

function ownDefinition(context: Context, { directory }: InstallOptions): Promise<Definition> {
  return loadDefinition(path.resolve(context.cwd, directory))
}

/** What `install` asks before it changes anything. Warnings are told; throws `preflight-failed`, exit code 3. */
export async function preflightInstall(
  context: Context,
  { engine, current, target, profile }: PreparedInstall,
): Promise<void> {
  const findings = await judge(engine, current, target, profile)
  refuseFailures(findings)
  for (const { status, says, fix } of findings) {
    if (status === 'warn') context.report({ type: 'note', text: `${says}; ${fix}.` })
  }
}

/** What a good licence lets pass; nothing of a product that asks for none. */
function judgeLicence({ components }: Definition, { notes }: PreparedLicence): Finding[] {
  if (notes.length > 0) return notes.map((note) => notedFinding('licence', note))
  const features = components.flatMap(({ licence }) => licence ?? [])
  return features.length === 0 ? [] : [pass('licence', `There is a licence for ${features.join(', ')}`)]
}

async function judge(
  engine: Engine,
  current: HostState,
  target: HostTarget,
  profile: Profile,
): Promise<Finding[]> {
  const needs = { profile: profile.name, cache: cacheBytes(profile, target) }
  const [facts, sources] = await Promise.all([
    readHostFacts(engine),
    readBindSources(engine, target.containers),
  ])
  return [...judgeHost(facts, current, target, needs), ...judgeBindSources(sources)]
}

/** What an error says becomes a finding, and the rest is judged without what failed. */
async function attempt<T>(
  work: () => Promise<T>,
  check: string,
  status: 'warn' | 'fail',
  findings: Finding[],
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error
    findings.push({ ...failedFinding(check, error), status })
    return undefined
  }
}

/** Bytes that the caches on volumes may grow to; a cache counted in entries is in memory. */
function cacheBytes(profile: Profile, target: HostTarget): number {
  const sizes = target.containers
    .filter((one) => one.volumes.length > 0)
    .map(({ service }) => parseSize(profile.services[service]?.cache ?? '') ?? 0)
  return sizes.reduce((sum, size) => sum + size, 0)
}

const signs = { pass: '✔', warn: '!', fail: '✘' } as const
const colors = { pass: 32, warn: 33, fail: 31 } as const

function print(
  context: Context,
  { json }: InstallOptions,
  name: string,
  findings: readonly Finding[],
): number {
  const count = (status: Finding['status']): number => findings.filter((one) => one.status === status).length
  const result = count('fail') > 0 ? 'fail' : count('warn') > 0 ? 'warn' : 'pass'
  if (json) context.print(JSON.stringify({ name, result, findings }, null, 2))
  else {
    const width = Math.max(...findings.map(({ check }) => check.length))
    for (const { check, status, says, fix } of findings) {
      const sign = context.color ? `\x1b[${colors[status]}m${signs[status]}\x1b[39m` : signs[status]
      context.print(`${sign} ${check.padEnd(width)}  ${says}.`)
      if (fix) context.print(`  ${' '.repeat(width)}  → ${fix}.`)
    }
    const verdict = {
      pass: 'can be installed here',
      warn: 'can be installed here, with what stands above in mind',
      fail: 'cannot be installed here yet',
    }[result]
    context.print(`${name} ${verdict}: ${count('pass')} pass, ${count('warn')} warn, ${count('fail')} fail.`)
  }
  return result === 'fail' ? exitCodes.preflightFailed : exitCodes.done
}
