import type { Definition } from '../definition/definition.ts'
import { readParentContent } from '../definition/parent-content.ts'
import { readSources } from '../definition/sources/read-sources.ts'
import type { Lockfile } from './lockfile.ts'
import { readLock } from './read-lock.ts'
import { refuseStale } from './stale.ts'

/** The lock of a definition, checked to fit it; throws what `readLock`, `readSources` and `refuseStale` throw. */
export async function requireLock(definition: Definition): Promise<Lockfile> {
  const lock = await readLock(definition.directory)
  refuseStale(definition, lock, await readSources(definition), await readParentContent(definition))
  return lock
}
