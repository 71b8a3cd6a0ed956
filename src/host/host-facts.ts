import type { StatsFs } from 'node:fs'
import { readFile, stat, statfs } from 'node:fs/promises'
import type { Engine, EngineInfo } from '../engine/engine.ts'

/** What preflight knows of a host. Bytes; absent where it cannot be seen from this machine. */
export interface HostFacts {
  readonly info: EngineInfo
  /** Memory that programs could have now. */
  readonly freeMemory?: number
  /** On the file system of the Engine's own folder. */
  readonly freeDisk?: number
  /** On the file system where images are, where that is another. */
  readonly freeImageDisk?: number
  /** How far the Engine's clock is ahead of this machine's; milliseconds. */
  readonly skew: number
}

/** Asks the Engine, and this machine where the Engine is its own. */
export async function readHostFacts(engine: Engine): Promise<HostFacts> {
  const asked = Date.now()
  const info = await engine.info()
  const answered = Date.now()
  const skew = Date.parse(info.time) - (asked + answered) / 2
  if (engine.endpoint.transport !== 'unix') return { info, skew }
  const [freeMemory, freeDisk, freeImageDisk] = await Promise.all([
    readFreeMemory(info),
    readFreeDisk(info.rootDirectory),
    readFreeImageDisk(info),
  ])
  return {
    info,
    skew,
    ...(freeMemory !== undefined && { freeMemory }),
    ...(freeDisk !== undefined && { freeDisk }),
    ...(freeImageDisk !== undefined && { freeImageDisk }),
  }
}

/** MemAvailable of proc(5); of this machine, so only where the Engine says the same total (it may be a virtual one). */
async function readFreeMemory(info: EngineInfo): Promise<number | undefined> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN)
  if (kilobytes('MemTotal') * 1024 !== info.memory) return undefined
  const available = kilobytes('MemAvailable') * 1024
  return Number.isNaN(available) ? undefined : available
}

/** A container does not see the Engine's folder; its own root stands on the same file system. */
async function readFreeDisk(directory: string): Promise<number | undefined> {
  if (directory === '') return undefined
  const seen = (await statfs(directory).catch(() => undefined)) ?? (await containerRoot())
  return seen && seen.bavail * seen.bsize
}

/** Often /var/lib/docker alone has a disk of its own. */
async function readFreeImageDisk({ rootDirectory, imageDirectory }: EngineInfo): Promise<number | undefined> {
  if (imageDirectory === undefined) return undefined
  const [root, images] = await Promise.all(
    [rootDirectory, imageDirectory].map((one) => stat(one).catch(() => undefined)),
  )
  return root && images && root.dev !== images.dev ? readFreeDisk(imageDirectory) : undefined
}

async function containerRoot(): Promise<StatsFs | undefined> {
  // Docker puts this file into every container.
  const isContainer = await stat('/.dockerenv').catch(() => undefined)
  return isContainer && statfs('/')
}
