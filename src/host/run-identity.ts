import { readFile, readlink } from 'node:fs/promises'
import os from 'node:os'
import { isProcessAlive, processStart } from '../lib/process-alive.ts'

/** Who a run is, so that another run, here or on another machine, can tell whether it still lives. */
export interface RunIdentity {
  readonly user: string
  readonly host: string
  readonly pid: number
  /** When the process started, in its kernel's ticks: a process ID is used again. Linux only, as what follows. */
  readonly started?: string
  /** Changes with each start of the machine. */
  readonly boot?: string
  /** In which process IDs are unique; containers have their own. */
  readonly pidSpace?: string
  /** Stays over starts of the machine. */
  readonly machine?: string
}

export async function identifyRun(): Promise<RunIdentity> {
  const [boot, pidSpace, machine, started] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined),
    readlink('/proc/self/ns/pid').catch(() => undefined),
    readFile('/etc/machine-id', 'utf8').catch(() => undefined),
    processStart(process.pid),
  ])
  return {
    user: userName(),
    host: os.hostname(),
    pid: process.pid,
    ...(started && { started }),
    ...(boot?.trim() && { boot: boot.trim() }),
    ...(pidSpace && { pidSpace }),
    ...(machine?.trim() && { machine: machine.trim() }),
  }
}

/** Whether the process of another run of this machine lives; only to be asked where `samePlace` says so. */
export async function isAlive({ pid, started }: RunIdentity): Promise<boolean> {
  return started === undefined ? isProcessAlive(pid) : (await processStart(pid)) === started
}

/** Whether two runs count processes alike: on the same machine since its last start, in the same container. */
export function samePlace(a: RunIdentity, b: RunIdentity): boolean {
  return a.host === b.host && a.boot === b.boot && a.pidSpace === b.pidSpace
}

function userName(): string {
  try {
    return os.userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? '?'}`
  }
}
