import { formatSize, parseSize } from '../definition/size.ts'
import { badInput } from '../lib/errors.ts'
import type { Step } from './step.ts'

export type Settings = Readonly<Record<string, string>>

/** What a command says of settings: "dns.port=1053" to set, "dns.port" to forget. */
export interface SettingChanges {
  readonly set: readonly string[]
  readonly unset: readonly string[]
}

/**
 * The settings of a site after a command: the stored ones, without those it forgets, with those it sets. What `set`
 * holds must have been understood (`withSettings`). Throws `not-set`, `set-and-unset`.
 */
export function mergeSettings(stored: Settings, { set, unset }: SettingChanges, name: string): Settings {
  const added = new Map(set.map(splitSetting))
  for (const key of unset) {
    if (added.has(key)) {
      throw badInput(
        'set-and-unset',
        `--set ${key}=… and --unset ${key} contradict each other; say one of them.`,
      )
    }
    if (Object.hasOwn(stored, key)) continue
    const known = formatSettings(stored)
    throw badInput(
      'not-set',
      `--unset ${key}: ${name} has no such setting of its own; ${known.length > 0 ? `it has ${known.join(', ')}` : 'it has none'}.`,
    )
  }
  const kept = Object.entries(stored).filter(([key]) => !unset.includes(key))
  const merged = new Map([...kept, ...added])
  return Object.fromEntries([...merged].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** As `--set` takes them. */
export function formatSettings(settings: Settings): string[] {
  return Object.entries(settings).map(([key, value]) => `${key}=${value}`)
}

/** The steps that bring what is stored from one to the other. */
export function planSettings(appliance: string, stored: Settings, wanted: Settings): Step[] {
  const keys = [...new Set([...Object.keys(stored), ...Object.keys(wanted)])].sort()
  return keys
    .filter((key) => stored[key] !== wanted[key])
    .map((key): Step => {
      const { [key]: previous } = stored
      const { [key]: value } = wanted
      const reason =
        value === undefined
          ? `${previous} is forgotten, the profile's counts`
          : previous === undefined
            ? `${value} from now on, over the profile`
            : `${previous} → ${value}`
      return {
        action: 'store-setting',
        appliance,
        key,
        ...(value !== undefined && { value }),
        ...(previous !== undefined && { previous }),
        reason,
      }
    })
}

/** Sizes of memory in one spelling, so that 1024m and 1g are no change. */
function splitSetting(setting: string): [key: string, value: string] {
  const equals = setting.indexOf('=')
  const key = setting.slice(0, equals)
  const value = setting.slice(equals + 1)
  const bytes = key.endsWith('.memory') ? parseSize(value) : undefined
  return [key, bytes === undefined ? value : formatSize(bytes)]
}
