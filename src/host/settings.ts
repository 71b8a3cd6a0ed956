import { isIP, isIPv4, isIPv6 } from 'node:net'
import { isNetwork } from '../definition/network.ts'
import { type Profile, type ServiceProfile, settingNames } from '../definition/profile.ts'
import { parseSize } from '../definition/size.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'

const serviceKeys = ['memory', 'cache', 'port', 'restart'] as const
type CommonKey = Exclude<keyof ServiceProfile, 'settings'>
const listKeys = ['allowedNetworks', 'upstreamDns'] as const

/**
 * A profile with settings of one site over it: "dns.port=1053", "optimiser.memory=1g",
 * "allowedNetworks=10.0.0.0/8,192.168.0.0/16"; and a service's own, "tunnel.role=client". Throws `bad-setting`, with the
 * nearest right name.
 *
 * @param variables names that the Compose file uses
 */
export function withSettings(
  profile: Profile,
  settings: readonly string[],
  services: readonly string[],
  variables: Iterable<string> = [],
): Profile {
  return settings.reduce((merged, setting) => withSetting(merged, setting, services, variables), profile)
}

/**
 * As `withSettings`, with settings that were stored by an earlier install: a release may have other services. Throws
 * `stored-setting`.
 *
 * @param verb what was typed, which takes `--unset`: those of a backup are forgotten by its restore
 */
export function withStoredSettings(
  profile: Profile,
  stored: Readonly<Record<string, string>>,
  services: readonly string[],
  variables: Iterable<string> = [],
  verb = 'install',
): Profile {
  return Object.entries(stored).reduce((merged, [key, value]) => {
    try {
      return withSetting(merged, `${key}=${value}`, services, variables)
    } catch (error) {
      throw badInput(
        'stored-setting',
        `The stored setting ${key}=${value} does not fit this release; \`${commandName()} ${verb} --unset ${key}\` forgets it.`,
        error,
      )
    }
  }, profile)
}

function withSetting(
  profile: Profile,
  setting: string,
  services: readonly string[],
  variables: Iterable<string>,
): Profile {
  const equals = setting.indexOf('=')
  const name = setting.slice(0, Math.max(0, equals))
  const value = setting.slice(equals + 1)
  const list = listKeys.find((key) => key === name)
  if (list) return { ...profile, [list]: readList(list, value, setting) }
  const own = services.flatMap((service) =>
    settingNames(service, variables).map((key) => `${service}.${key}`),
  )
  const common = services.flatMap((service) => serviceKeys.map((key) => `${service}.${key}`))
  const known = [...common, ...own, ...listKeys]
  if (!known.includes(name)) {
    const [near] = nearest(name || setting, known)
    throw badInput(
      'bad-setting',
      `--set ${setting} is not understood${near ? `; did you mean ${near}=…?` : '.'} Settings are ${known.join(', ')}.`,
    )
  }
  const dot = name.lastIndexOf('.')
  const service = name.slice(0, dot)
  const key = name.slice(dot + 1) as CommonKey
  const share = profile.services[service]
  if (own.includes(name)) {
    const settings = { ...share?.settings, [key]: value }
    return { ...profile, services: { ...profile.services, [service]: { ...share, settings } } }
  }
  return {
    ...profile,
    services: {
      ...profile.services,
      [service]: { ...share, [key]: readValue(key, value, setting) },
    },
  }
}

const restartPolicy = /^(no|always|unless-stopped|on-failure(:[1-9]\d*)?)$/

function isPort(value: string): boolean {
  const [, v6, v4, port] = /^(?:(?:\[(.*)\]|([^:]*)):)?(\d{1,5})$/.exec(value) ?? []
  if ((v6 !== undefined && !isIPv6(v6)) || (v4 !== undefined && !isIPv4(v4))) return false
  return Number(port) >= 1 && Number(port) <= 65535
}

/** Networks and addresses; no server means that the host's own is asked, no network would shut everybody out. */
function readList(key: (typeof listKeys)[number], value: string, setting: string): string[] {
  const items = value.split(/[\s,]+/).filter((item) => item !== '')
  const isNetworks = key === 'allowedNetworks'
  const wrong = items.find((item) => !(isNetworks ? isNetwork(item) : isIP(item)))
  if (wrong === undefined && (items.length > 0 || !isNetworks)) return items
  const allowed = isNetworks ? 'networks such as 10.0.0.0/8,fc00::/7' : 'IP addresses such as 192.0.2.53'
  throw badInput('bad-setting', `--set ${setting}: "${wrong ?? value}" is not allowed; write ${allowed}.`)
}

function readValue(key: CommonKey, value: string, setting: string): string | number {
  if (key === 'memory') {
    const bytes = parseSize(value)
    if (bytes !== undefined && bytes >= 6 * 1024 * 1024) return bytes
    throw badInput(
      'bad-setting',
      `--set ${setting}: "${value}" is no size; write one such as 512m or 2g, at least 6m.`,
    )
  }
  const right = key === 'restart' ? restartPolicy.test(value) : key === 'port' ? isPort(value) : value !== ''
  if (right) return value
  const allowed = {
    restart: 'no, always, unless-stopped or on-failure:5',
    port: 'a port from 1 to 65535, such as 53, or 192.0.2.1:53',
    cache: 'a size such as 2g, or a number of entries',
  }[key]
  throw badInput('bad-setting', `--set ${setting}: "${value}" is not allowed; write ${allowed}.`)
}
