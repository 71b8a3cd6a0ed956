import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { inspectHost } from '../host/inspect.ts'
import type { LogLine } from '../host/log-lines.ts'
import { followLogs, type LogRequest, readLogs } from '../host/logs.ts'
import { notInstalled } from '../host/not-installed.ts'
import { containersOf } from '../host/plan-memory.ts'
import { badInput, exitCodes, SlipwayError } from '../lib/errors.ts'
import { plainText } from '../lib/plain-text.ts'
import type { Context } from './context.ts'
import { chooseAppliance } from './host-name.ts'

export interface LogsOptions {
  readonly directory: string
  readonly name?: string
  readonly follow?: boolean
  readonly since?: string
  readonly tail?: string
  readonly timestamps?: boolean
  readonly json?: boolean
}

export async function run(
  context: Context,
  options: LogsOptions,
  [service]: string[],
): Promise<number | undefined> {
  const lines = readTail(options)
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const current = await inspectHost(engine, name)
  if (current.containers.length === 0) {
    throw new SlipwayError('not-installed', notInstalled(name))
  }
  if (service !== undefined) containersOf(current, service)
  const since = options.since === undefined ? undefined : await readSince(engine, options.since)
  const request: LogRequest = {
    ...(service !== undefined && { service }),
    ...(lines !== undefined && { lines }),
    ...(since !== undefined && { since }),
  }
  const services = [...new Set(current.containers.map((one) => one.service))].sort()
  const take = (line: LogLine): void =>
    context.print(
      options.json ? JSON.stringify(line) : show(line, services, context.color, options.timestamps),
    )
  if (!options.follow) {
    for (const line of await readLogs(engine, name, request)) take(line)
    return
  }
  await followLogs(engine, name, request, take, context.signal)
  // Ctrl-C is how it ends.
  return exitCodes.done
}

const colors = [36, 33, 32, 35, 34]

/** "dns       | dnsmasq: started". */
function show(
  { service, at, text }: LogLine,
  services: readonly string[],
  color: boolean,
  timestamps = false,
): string {
  const width = Math.max(...services.map((one) => one.length))
  const prefix = `${service.padEnd(width)} |`
  const code = colors[services.indexOf(service) % colors.length]
  return `${color ? `\x1b[${code}m${prefix}\x1b[39m` : prefix} ${timestamps ? `${at} ` : ''}${plainText(text)}`
}

function readTail({ tail, since }: LogsOptions): number | undefined {
  if (tail === undefined) return since === undefined ? 100 : undefined
  if (tail === 'all') return undefined
  if (/^\d{1,9}$/.test(tail)) return Number(tail)
  throw badInput('bad-usage', `--tail ${tail} is no number of lines; write one such as 500, or all.`)
}

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/** Seconds since 1970. A span counts back from the Engine's clock, which stamps the lines. */
async function readSince(engine: Engine, text: string): Promise<number> {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (amount !== undefined) {
    const now = Date.parse((await engine.info()).time)
    return now / 1000 - Number(amount) * units[unit as keyof typeof units]
  }
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(moment)) return moment / 1000
  throw badInput(
    'bad-usage',
    `--since ${text} is no time; write a span such as 10m, 2h or 1d, or 2026-01-31T12:00:00Z.`,
  )
}
