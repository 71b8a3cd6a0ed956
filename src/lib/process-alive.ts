import { readFile } from 'node:fs/promises'

/** Whether a process of this machine lives. One that has ended and that nobody has asked how (a zombie) does not. */
export async function isProcessAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
  const fields = await readProcess(pid)
  return fields === undefined || !hasEnded(fields)
}

/**
 * When a process started, in its kernel's ticks (field 22 of proc(5) "/proc/pid/stat"), since IDs are used again.
 * Linux only; undefined elsewhere, and for a process that has ended, reaped or not.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  const fields = await readProcess(pid)
  return fields && !hasEnded(fields) ? fields[19] : undefined
}

/** The fields of /proc/pid/stat from the third, which is the state, on. */
async function readProcess(pid: number): Promise<string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The second field is the program's name in parentheses, which may hold anything.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function hasEnded([state]: readonly string[]): boolean {
  return state === 'Z' || state === 'X'
}
