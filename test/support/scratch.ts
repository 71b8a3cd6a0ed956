import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

/** A folder of a test's own. */
export interface Scratch {
  readonly path: string
  remove(): Promise<void>
}

export async function makeScratch(name: string): Promise<Scratch> {
  const folder = await mkdtemp(path.join(os.tmpdir(), `slipway-${name}-`))
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
