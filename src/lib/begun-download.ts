import { randomBytes } from 'node:crypto'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { isProcessAlive } from './process-alive.ts'

/**
 * What a download that did not end leaves beside its target: `<target>.partial` where it could still clean up, else
 * `<target>.<machine>.<process>.<random>.tmp`, by whose name others see whether somebody still writes to it.
 */
const machine = os.hostname().replace(/[^\w-]/g, '_')

/** A name of this process for a target's unfinished content. */
export function unfinishedName(target: string): string {
  return `${target}.${machine}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
}

/** Bytes of a target that an earlier run has left; 0 where none did. */
export async function bytesBegun(target: string): Promise<number> {
  return (await findBegun(target))[0]?.size ?? 0
}

/**
 * Makes what an earlier run has left of a target the content of `unfinished`, where there is any: the most of it, the
 * rest is removed. By rename, so that two processes never write to one file.
 */
export async function takeOver(target: string, unfinished: string): Promise<void> {
  const [most, ...rest] = await findBegun(target)
  for (const { file } of rest) await rm(file, { force: true }).catch(() => {})
  // Another process may have been faster.
  if (most) await rename(most.file, unfinished).catch(() => {})
}

/** The most first. */
async function findBegun(target: string): Promise<{ file: string; size: number }[]> {
  const [folder, name] = [path.dirname(target), path.basename(target)]
  const names = await readdir(folder).catch(() => [])
  const left = names.filter((one) => one.startsWith(`${name}.`))
  const found = await Promise.all(
    left.map(async (one) => {
      if (!(await isAbandoned(one.slice(name.length)))) return []
      const file = path.join(folder, one)
      return [{ file, size: (await stat(file).catch(() => undefined))?.size ?? 0 }]
    }),
  )
  return found.flat().sort((a, b) => b.size - a.size)
}

async function isAbandoned(ending: string): Promise<boolean> {
  if (ending === '.partial') return true
  const [, by, id] = /^\.([\w-]+)\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(ending) ?? []
  return by === machine && !(await isProcessAlive(Number(id)))
}
