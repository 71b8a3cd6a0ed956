import { isIP } from 'node:net'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import type { Definition } from './definition.ts'
import { type MergedYaml, mergeYaml } from './merge-yaml.ts'
import { isNetwork } from './network.ts'
import { type Problem, refuseProblems, showPath, type ValuePath } from './problem.ts'
import type { MaintenanceWindow, Profile, ServiceProfile } from './profile.ts'
import { namesInRoots, rootsWithFile } from './roots.ts'
import { checkSchema } from './schema.ts'
import { parseSize } from './size.ts'
import { readYamlFile, type YamlFile } from './yaml-file.ts'

/** A profile file as its schema allows it. */
interface ProfileSource {
  readonly description?: string
  readonly extends?: string
  readonly services?: Readonly<Record<string, ServiceSource>>
  readonly allowedNetworks?: readonly string[]
  readonly upstreamDns?: readonly string[]
  readonly maintenance?: Partial<MaintenanceWindow>
}

interface ServiceSource {
  readonly memory?: string | number
  readonly cache?: string | number
  readonly port?: string | number
  readonly restart?: string
  readonly settings?: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

type Place = Pick<Definition, 'roots'>

/** Names of the product's profiles, sorted. */
export async function profileNames({ roots }: Place): Promise<string[]> {
  const files = await namesInRoots(roots, 'profiles')
  return files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -'.yaml'.length))
}

/** A profile's file over those of the same name that it covers. */
export async function readProfileFile({ roots }: Place, name: string): Promise<MergedYaml> {
  const file = `profiles/${name}.yaml`
  const holders = await rootsWithFile(roots, file)
  return mergeYaml(
    await Promise.all(
      (holders.length > 0 ? holders : [roots[0]]).map((root) => readYamlFile(root, file)).reverse(),
    ),
  )
}

/** Reads a profile and what it extends. Throws bad input: no such profile (with the nearest name), or mistakes. */
export async function loadProfile(definition: Place, name: string): Promise<Profile> {
  const names = await profileNames(definition)
  if (!names.includes(name)) {
    const near = nearest(name, names)[0]
    throw badInput(
      'no-such-profile',
      `There is no profile "${name}"${near ? `; did you mean ${near}?` : '.'} ${names.length === 0 ? 'The folder profiles holds none.' : `Choose with --profile one of: ${names.join(', ')}.`}`,
    )
  }
  const { profile, problems } = await readProfile(definition, name)
  refuseProblems(problems)
  return profile!
}

/** As `loadProfile`, with the mistakes as data, and the profile's own file to point at. */
export async function readProfile(
  definition: Place,
  name: string,
): Promise<{ profile?: Profile; problems: readonly Problem[]; yaml: YamlFile }> {
  const chain: ProfileSource[] = []
  const seen: string[] = []
  let own: YamlFile | undefined
  for (let next: string | undefined = name; next !== undefined; ) {
    const yaml = await readProfileFile(definition, next)
    own ??= yaml
    seen.push(next)
    const problems = [...yaml.problems, ...checkSchema('profile', yaml)]
    if (problems.length === 0) problems.push(...(await checkProfile(definition, yaml, seen)))
    if (problems.length > 0) return { problems, yaml: own }
    const source = yaml.value as ProfileSource
    chain.unshift(source)
    next = source.extends
  }
  return { profile: toProfile(name, chain.reduce(merge)), problems: [], yaml: own! }
}

/** The later one wins; services and the maintenance window are merged key by key, lists are replaced. */
function merge(base: ProfileSource, over: ProfileSource): ProfileSource {
  const services = { ...base.services }
  for (const [name, share] of Object.entries(over.services ?? {})) {
    const settings = { ...services[name]?.settings, ...share.settings }
    services[name] = {
      ...services[name],
      ...share,
      ...(Object.keys(settings).length > 0 && { settings }),
    }
  }
  return { ...base, ...over, services, maintenance: { ...base.maintenance, ...over.maintenance } }
}

function toProfile(name: string, source: ProfileSource): Profile {
  const { maintenance = {}, allowedNetworks, upstreamDns } = source
  return {
    name,
    description: source.description ?? '',
    services: Object.fromEntries(
      Object.entries(source.services ?? {}).map(([service, share]) => [service, toServiceProfile(share)]),
    ),
    ...(allowedNetworks ? { allowedNetworks } : {}),
    ...(upstreamDns ? { upstreamDns } : {}),
    ...(maintenance.from && maintenance.to
      ? {
          maintenance: {
            days: maintenance.days ?? ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
            from: maintenance.from,
            to: maintenance.to,
            timezone: maintenance.timezone ?? 'UTC',
          },
        }
      : {}),
  }
}

function toServiceProfile(source: ServiceSource): ServiceProfile {
  return {
    ...(source.memory === undefined ? {} : { memory: parseSize(source.memory)! }),
    ...(source.cache === undefined ? {} : { cache: String(source.cache) }),
    ...(source.port === undefined ? {} : { port: String(source.port) }),
    ...(source.restart === undefined ? {} : { restart: source.restart }),
    ...(source.settings && { settings: toSettings(source.settings) }),
  }
}

/** Values as services read them: a list is text with blanks between. */
function toSettings(source: NonNullable<ServiceSource['settings']>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(source).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(' ') : String(value),
    ]),
  )
}

/** What a schema cannot see: the profile that is extended, networks, addresses, sizes too small to start with. */
async function checkProfile(definition: Place, yaml: YamlFile, seen: readonly string[]): Promise<Problem[]> {
  const source = yaml.value as ProfileSource
  const problems: Problem[] = []
  const report = (at: ValuePath, text: string): void => {
    problems.push({ ...yaml.placeOf(at), path: showPath(at), text: `${showPath(at)} ${text}` })
  }
  if (source.extends !== undefined) {
    const names = await profileNames(definition)
    const others = names.filter((name) => name !== seen.at(-1))
    const near = nearest(source.extends, others)[0]
    if (!names.includes(source.extends))
      report(
        ['extends'],
        `is "${source.extends}"; it must be another profile: ${others.join(', ')}${near ? `; did you mean ${near}?` : ''}`,
      )
    else if (seen.includes(source.extends))
      report(['extends'], `goes in a circle: ${[...seen, source.extends].join(' → ')}`)
  }
  for (const [name, share] of Object.entries(source.services ?? {})) {
    if (share.memory !== undefined && parseSize(share.memory)! < smallestMemory)
      report(
        ['services', name, 'memory'],
        `is "${share.memory}"; it must be a size such as 512m or 2g, at least 6m`,
      )
    if (share.port !== undefined && Number(/\d+$/.exec(String(share.port))?.[0]) > 65535)
      report(['services', name, 'port'], `is "${share.port}"; the port must be from 1 to 65535`)
  }
  source.allowedNetworks?.forEach((network, index) => {
    if (!isNetwork(network))
      report(
        ['allowedNetworks', index],
        `is ${JSON.stringify(network)}; it must be a network such as 10.0.0.0/8 or fc00::/7`,
      )
  })
  source.upstreamDns?.forEach((server, index) => {
    if (isIP(server) === 0)
      report(
        ['upstreamDns', index],
        `is ${JSON.stringify(server)}; it must be an IP address such as 192.0.2.53`,
      )
  })
  return problems
}

/** The Engine refuses less. */
const smallestMemory = 6 * 1024 * 1024
