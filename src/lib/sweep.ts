import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { isProcessAlive } from './process-alive.ts'

const day = 24 * 3600 * 1000

/** How long an unfinished file may stay: a run comes back for a `.partial`, and soon or never for a `.tmp`. */
const unfinished: Readonly<Record<string, number>> = { '.tmp': day, '.partial': 30 * day }

/** Lifetimes for a folder whose whole files, which have no ending, wait only for the run that fetched them to go on. */
export const waiting: Readonly<Record<string, number>> = { ...unfinished, '': 30 * day }

/** Removes what killed processes left in a cache folder. Fails silently: it is a courtesy, not a step. */
export async function sweepLeftovers(
  folder: string,
  { lifetimes = unfinished, now = Date.now() }: { lifetimes?: typeof unfinished; now?: number } = {},
): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const lifetime = lifetimes[path.extname(name)]
    if (lifetime === undefined) continue
    const file = path.join(folder, name)
    const modified = await stat(file).then(
      (found) => found.mtimeMs,
      () => now,
    )
    if (now - modified > lifetime) await rm(file, { force: true }).catch(() => {})
  }
}

/** The beginning of the name of a folder that goes with this process: `sweepEnded` knows it by the number. */
export function runPrefix(prefix: string): string {
  return `${prefix}${process.pid}-`
}

/** Removes the folders of `runPrefix` whose process has ended without doing so itself. Fails silently, as `sweepLeftovers`. */
export async function sweepEnded(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined
    if (pid === undefined || (await isProcessAlive(Number(pid)))) continue
    await rm(path.join(folder, name), { recursive: true, force: true }).catch(() => {})
  }
}
