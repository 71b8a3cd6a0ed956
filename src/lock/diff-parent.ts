import type { ParentContent } from '../definition/parent-content.ts'

/** A value or file of a parent that changed; without `from` it is new, without `to` it is gone. */
export interface ParentChange {
  readonly name: string
  readonly from?: unknown
  readonly to?: unknown
}

export interface ParentDiff {
  readonly name: string
  /** The version that the lock was made over. */
  readonly from: string
  readonly to: string
  readonly values: readonly ParentChange[]
  /** Files by path; `from` and `to` are hex SHA-256. */
  readonly files: readonly ParentChange[]
}

/** What changed beneath a product since its lock was made; undefined: nothing. Pure. */
export function diffParent(locked: ParentContent, now: ParentContent): ParentDiff | undefined {
  if (locked.digest === now.digest && locked.version === now.version && locked.name === now.name)
    return undefined
  return {
    name: now.name,
    from: locked.version,
    to: now.version,
    values: changes(locked.values, now.values),
    files: changes(locked.files, now.files),
  }
}

function changes(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): ParentChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({
      name,
      ...(Object.hasOwn(before, name) && { from: before[name] }),
      ...(Object.hasOwn(after, name) && { to: after[name] }),
    }))
}

/** "slipway-reference has moved on from 0.1.0 to 0.2.0 (3 values and 1 file)": a clause without its stop. Pure. */
export function describeMove({ name, from, to, values, files }: ParentDiff): string {
  const count = (number: number, word: string): string[] =>
    number === 0 ? [] : [`${number} ${word}${number === 1 ? '' : 's'}`]
  const what = [...count(values.length, 'value'), ...count(files.length, 'file')].join(' and ')
  const moved = from === to ? `has changed, and is still ${to}` : `has moved on from ${from} to ${to}`
  return `${name} ${moved}${what === '' ? '' : ` (${what})`}`
}
