import { setTimeout as sleep } from 'node:timers/promises'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { appliancesOf } from '../host/inspect.ts'
import { type HostStatus, readAllStatuses, readStatus } from '../host/status.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, exitCodes } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { chooseAppliance, containersInSight } from './host-name.ts'
import { describeAbsent, describeStatus, describeStatuses, isWell } from './status-text.ts'

export interface StatusOptions {
  readonly directory: string
  readonly name?: string
  readonly watch?: boolean
  readonly json?: boolean
}

/** Milliseconds between two looks of `--watch`. */
const watchInterval = 2000

/** Exit code 1 where the appliance is not there or not well, so that a monitor can ask. */
export async function run(context: Context, options: StatusOptions): Promise<number> {
  if (options.watch && options.json)
    throw badInput('bad-usage', '--watch is for people and --json for programs; say one of them.')
  if (options.watch && !context.interactive)
    throw badInput(
      'no-terminal',
      `--watch redraws a terminal, and this is none; \`${commandName()} status\` prints it once.`,
    )
  const engine = await connectEngine(context.env)
  if (options.watch) return watch(context, engine, options)
  const statuses = await read(context, engine, options)
  if (options.json)
    context.print(JSON.stringify(Array.isArray(statuses) ? { appliances: statuses } : statuses, null, 2))
  else for (const line of describe(statuses)) context.print(line)
  return isAllWell(statuses) ? exitCodes.done : exitCodes.failed
}

/** The appliance that is asked for; all of them where the host has several and none is named. */
async function read(
  context: Context,
  engine: Engine,
  options: StatusOptions,
): Promise<HostStatus | HostStatus[]> {
  if (options.name === undefined) {
    const containers = await containersInSight(context, engine, options)
    if (appliancesOf(containers).length > 1) return readAllStatuses(engine, containers)
  }
  return readStatus(engine, await chooseAppliance(context, engine, options))
}

function describe(statuses: HostStatus | HostStatus[]): string[] {
  const now = Date.now()
  if (Array.isArray(statuses)) return describeStatuses(statuses, now)
  if (statuses.services.length > 0) return describeStatus(statuses, now)
  return describeAbsent(statuses)
}

function isAllWell(statuses: HostStatus | HostStatus[]): boolean {
  return [statuses].flat().every(({ services }) => services.length > 0 && services.every(isWell))
}

/** Redraws on the terminal's other screen until Ctrl-C. */
async function watch(context: Context, engine: Engine, options: StatusOptions): Promise<number> {
  const { signal } = context
  context.draw?.('\x1b[?1049h\x1b[?25l')
  try {
    while (!signal.aborted) {
      // An Engine that is away for a moment is told, and looked for again.
      const lines = await read(context, engine, options).then(describe, (error: Error) => [error.message])
      const time = new Date().toISOString().slice(11, 19)
      const page = [...lines, '', `${time} UTC · every ${watchInterval / 1000} s · Ctrl-C ends it`]
      context.draw?.(
        `\x1b[H${fit(page)
          .map((line) => `${line}\x1b[K\n`)
          .join('')}\x1b[J`,
      )
      await sleep(watchInterval, undefined, { signal }).catch(() => {})
    }
  } finally {
    context.draw?.('\x1b[?25h\x1b[?1049l')
  }
  return exitCodes.done
}

/** Cut to the terminal: what wraps or scrolls cannot be drawn over. */
function fit(page: readonly string[]): string[] {
  // A serial line says 0.
  const { columns, rows } = process.stdout
  return page.slice(0, (rows || 24) - 1).map((line) => line.slice(0, columns || 80))
}
