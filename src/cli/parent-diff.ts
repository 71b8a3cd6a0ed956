import { stat } from 'node:fs/promises'
import type { Definition } from '../definition/definition.ts'
import { locateValue } from '../definition/explain-value.ts'
import { type ParentContent, readParentContent } from '../definition/parent-content.ts'
import { inRoot } from '../definition/roots.ts'
import { readDefinitionFiles } from '../definition/values.ts'
import { diffParent, type ParentDiff } from '../lock/diff-parent.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import type { ShownChange } from './describe-parent.ts'

export interface ShownParentDiff extends Omit<ParentDiff, 'values' | 'files'> {
  readonly values: readonly ShownChange[]
  readonly files: readonly ShownChange[]
}

export interface ParentState {
  readonly now?: ParentContent
  /** Absent: nothing changed beneath since the lock was made, or the lock knows of no parent. */
  readonly diff?: ShownParentDiff
}

/** What a product's parent brings now, and what of it is other than when the lock was made. */
export async function readParentState(
  definition: Definition,
  lock: Lockfile | undefined,
): Promise<ParentState> {
  const now = await readParentContent(definition)
  if (!now) return {}
  const diff = lock?.parent?.name === now.name ? diffParent(lock.parent, now) : undefined
  if (!diff) return { now }
  const files = await readDefinitionFiles(definition.directory)
  const parents = definition.roots.slice(1)
  const ownPlace = (name: string): string | undefined => {
    const last = locateValue(files, name).at(-1)
    if (!last || parents.some(({ label }) => last.file.startsWith(`${label}/`))) return undefined
    return `${last.file}:${last.line}`
  }
  const values = diff.values.map((change) => mark(change, ownPlace(change.name)))
  const own = await Promise.all(
    diff.files.map(async (change) => {
      const present = await stat(inRoot(definition.roots[0], change.name)).catch(() => undefined)
      return mark(change, present && change.name)
    }),
  )
  return { now, diff: { ...diff, values, files: own } }
}

function mark<T extends object>(change: T, yours: string | undefined): T & { yours?: string } {
  return yours === undefined ? change : { ...change, yours }
}
