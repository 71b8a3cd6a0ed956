import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { suspects } from './drift.ts'
import { expectationOf } from './read-drift.ts'

/** How a container is looked at. */
export interface Look {
  /** The Engine is this machine's, whose files may tell at once what the Engine takes a second to find out. */
  readonly local: boolean
  /** Without what takes the Engine a second. */
  readonly quick: boolean
}

/**
 * How many paths of a container are other than its image's and not declared to be, folders left out. Counts what was
 * written, so that a file written anew with the same content counts too: `readDrift` compares. Where this machine may
 * read the container's own layer (a local Engine with overlay2, as root) that takes no time; else the Engine compares
 * whole trees, up to a second, and with `quick` is not asked.
 */
export async function countDrift(
  engine: Engine,
  document: ContainerDocument,
  { local, quick }: Look,
): Promise<number | undefined> {
  const isExpected = expectationOf(document)
  const layer = document.GraphDriver?.Data?.UpperDir
  const written = local && layer ? await filesBelow(layer) : undefined
  if (written) return written.filter((one) => !isExpected(one)).length
  if (quick) return undefined
  return suspects(await engine.containers.changes(document.Id), isExpected).length
}

/** Everything that is no folder, as absolute paths of the container; undefined where this user may not look. */
async function filesBelow(layer: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(layer, { withFileTypes: true, recursive: true })
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(
        (entry) =>
          `/${path.relative(layer, path.join(entry.parentPath, entry.name)).split(path.sep).join('/')}`,
      )
  } catch {
    return undefined
  }
}
