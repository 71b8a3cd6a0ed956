import { connectEngine } from '../engine/connect.ts'
import { readStatus, type ServiceStatus } from '../host/status.ts'
import { exitCodes } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { chooseAppliance } from './host-name.ts'
import { showPort } from './port-text.ts'

export interface StatusOptions {
  readonly directory: string
  readonly name?: string
  readonly json?: boolean
}

/** Exit code 1 where the appliance is not there or not well, so that a monitor can ask. */
export async function run(context: Context, options: StatusOptions): Promise<number> {
  const engine = await connectEngine(context.env)
  const status = await readStatus(engine, await chooseAppliance(context, engine, options))
  if (options.json) context.print(JSON.stringify(status, null, 2))
  else if (status.services.length === 0) {
    context.print(`${status.name} is not installed on this host; \`slipway install\` installs it.`)
  } else {
    const rows = [header, ...status.services.map(row)]
    const widths = header.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
    for (const cells of rows) {
      context.print(
        cells
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd(),
      )
    }
  }
  const well = status.services.every(({ state, health }) => state === 'running' && health !== 'unhealthy')
  return well && status.services.length > 0 ? exitCodes.done : exitCodes.failed
}

const header = ['SERVICE', 'STATE', 'HEALTH', 'RESTARTS', 'UP', 'MEMORY', 'RELEASE', 'IMAGE', 'PORTS']

function row(one: ServiceStatus): string[] {
  const { used, cap } = one.memory
  const memory = `${used === undefined ? '-' : mebibytes(used)} of ${cap === undefined ? 'no cap' : mebibytes(cap)}`
  return [
    one.service,
    one.state,
    one.health,
    String(one.restarts),
    one.startedAt ? duration(Date.now() - Date.parse(one.startedAt)) : '-',
    memory,
    one.release,
    one.image.replace('sha256:', '').slice(0, 12),
    one.ports.map(showPort).join(' ') || '-',
  ]
}

/** Memory is capped in powers of two: 64 MiB is what a profile calls 64m. */
function mebibytes(bytes: number): string {
  const value = bytes / 2 ** 20
  return `${Number.isInteger(value) ? value : value.toFixed(1)} MiB`
}

function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}
