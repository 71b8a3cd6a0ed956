/**
 * Ends what an Engine of a test's own runs once the test is gone: who is killed cleans nothing up, and a dockerd in
 * memory takes gigabytes of it.
 *
 *     node engine-guard.mjs FOLDER
 *
 * Waits for the end of its standard input. Where FOLDER is still there then, kills every process that names it, with all
 * that come from those, unmounts what lies below it, and removes it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'

const folder = process.argv[2]
process.stdin.resume().on('end', () => existsSync(folder) && clear())

function clear() {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .map((pid) => ({ pid, command: read(pid, 'cmdline'), parent: parentOf(pid) }))
  const doomed = new Set(
    processes.filter(({ command }) => command.includes(`${folder}/`)).map(({ pid }) => pid),
  )
  for (let before = -1; before < doomed.size; ) {
    before = doomed.size
    for (const { pid, parent } of processes) if (doomed.has(parent)) doomed.add(pid)
  }
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((one) => one.startsWith(folder + path.sep)).reverse())
    spawnSync('umount', ['--lazy', mount])
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}

function read(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

/** The fourth field of proc(5)'s stat; the second may hold anything, in parentheses. */
function parentOf(pid) {
  const fields = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? []
  return Number(fields[1])
}
