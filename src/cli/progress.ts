import { formatBytes } from '../lib/bytes.ts'
import type { ProgressEvent, Report } from '../lib/progress.ts'

interface Task {
  readonly total?: number
  readonly bytes: boolean
  readonly started: number
  done: number
}

/** Plain lines for logs and pipes: one when a task ends. */
export function plainProgress(write: (text: string) => void): Report {
  const tasks = new Map<string, Task>()
  return (event) => {
    if (event.type === 'note') return write(`  ${event.text}\n`)
    const line = follow(tasks, event)
    if (line) write(`✔ ${line}\n`)
  }
}

/** One line redrawn while a task runs, kept when it ends. */
export function terminalProgress(
  write: (text: string) => void,
  columns: () => number,
  color: boolean,
): Report {
  const done = color ? '\x1b[32m✔\x1b[39m' : '✔'
  const tasks = new Map<string, Task>()
  let drawn = 0
  const draw = (now: number): void => {
    if (now - drawn < 80) return
    drawn = now
    const running = [...tasks].map(([name, task]) => `${name}${amount(task)}`).join(' · ')
    write(`\r\x1b[K${running.slice(0, columns() - 1)}`)
  }
  return (event) => {
    if (event.type === 'note') return write(`\r\x1b[K  ${event.text}\n`)
    const line = follow(tasks, event)
    if (line) write(`\r\x1b[K${done} ${line}\n`)
    if (tasks.size > 0) draw(line ? Number.POSITIVE_INFINITY : Date.now())
  }
}

/** Keeps the books; returns the closing line of a task that ends. */
function follow(
  tasks: Map<string, Task>,
  event: Exclude<ProgressEvent, { type: 'note' }>,
): string | undefined {
  if (event.type === 'start') {
    const total = event.total === undefined ? {} : { total: event.total }
    tasks.set(event.task, { ...total, bytes: event.unit === 'bytes', started: Date.now(), done: 0 })
    return undefined
  }
  const task = tasks.get(event.task)
  if (event.type === 'advance') {
    if (task) task.done += event.by
    return undefined
  }
  tasks.delete(event.task)
  const seconds = task ? ` (${((Date.now() - task.started) / 1000).toFixed(1)} s)` : ''
  return `${event.task}${event.detail ? `: ${event.detail}` : ''}${seconds}`
}

function amount(task: Task): string {
  const show = (value: number): string => (task.bytes ? formatBytes(value) : String(value))
  if (task.total === undefined) return task.done > 0 ? ` ${show(task.done)}` : ''
  return ` ${show(task.done)} of ${show(task.total)}`
}
