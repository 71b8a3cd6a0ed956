import { readFileSync } from 'node:fs'
import path from 'node:path'

/** A container's memory as its control group counts it. Bytes. */
export interface CgroupMemory {
  /** Without the page cache that can be dropped, as `docker stats` counts it. */
  readonly used: number
  /** Absent: none. */
  readonly cap?: number
  /** Processes that the kernel ended for want of memory since the container started; absent on old kernels. */
  readonly kills?: number
}

/** Where the two file systems are; tests have their own. */
export interface CgroupRoots {
  readonly proc: string
  readonly cgroup: string
}

const systemRoots: CgroupRoots = { proc: '/proc', cgroup: '/sys/fs/cgroup' }

/**
 * Reads the control group of a container whose first process is `pid` on this machine (cgroups(7)), version 1 or 2.
 * A fraction of a millisecond, where the Engine needs 20. Undefined where the process is not this container's: the
 * Engine runs elsewhere or in a virtual machine.
 */
export function readLocalCgroup(
  pid: number,
  containerId: string,
  roots: CgroupRoots = systemRoots,
): CgroupMemory | undefined {
  const lines = readText(path.join(roots.proc, String(pid), 'cgroup')).split('\n')
  const groups = lines.map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
  const own = groups.filter((group) => group?.[2]?.includes(containerId))
  const v1 = own.find((group) => group![1]!.split(',').includes('memory'))
  if (v1) return readV1(path.join(roots.cgroup, 'memory', v1[2]!))
  const v2 = own.find((group) => group![1] === '')
  return v2 ? readV2(path.join(roots.cgroup, v2[2]!)) : undefined
}

function readV1(group: string): CgroupMemory | undefined {
  const [usage, limit, stat, control] = readAll(group, [
    'memory.usage_in_bytes',
    'memory.limit_in_bytes',
    'memory.stat',
    'memory.oom_control',
  ])
  // "No limit" is a number of 19 digits.
  const cap = limit!.trim().length < 19 ? Number(limit) : undefined
  return describe(usage!, cap, field(stat!, 'total_inactive_file'), field(control!, 'oom_kill'))
}

function readV2(group: string): CgroupMemory | undefined {
  const [current, max, stat, events] = readAll(group, [
    'memory.current',
    'memory.max',
    'memory.stat',
    'memory.events',
  ])
  const cap = /^\d+\s*$/.test(max!) ? Number(max) : undefined
  return describe(current!, cap, field(stat!, 'inactive_file'), field(events!, 'oom_kill'))
}

function describe(
  usage: string,
  cap: number | undefined,
  droppable: number | undefined,
  kills: number | undefined,
): CgroupMemory | undefined {
  if (usage.trim() === '') return undefined
  return {
    used: Math.max(0, Number(usage) - (droppable ?? 0)),
    ...(cap !== undefined && { cap }),
    ...(kills !== undefined && { kills }),
  }
}

/** The number behind a name in a file of "name number" lines. */
function field(text: string, name: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

function readAll(group: string, files: readonly string[]): string[] {
  return files.map((file) => readText(path.join(group, file)))
}

/** At once: the kernel writes these files while they are read, and waits for no disk. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
