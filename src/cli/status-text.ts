import type { Ending } from '../host/endings.ts'
import { notInstalled } from '../host/not-installed.ts'
import type { HostStatus, ServiceStatus } from '../host/status.ts'
import { formatBytes, formatMemory } from '../lib/bytes.ts'
import { plainText } from '../lib/plain-text.ts'
import { showDuration } from './duration-text.ts'
import { showPort } from './port-text.ts'

/** One appliance for people: a table of its services, and what there is to tell of the whole. Pure. */
export function describeStatus(status: HostStatus, now: number): string[] {
  const header = ['SERVICE', ...columns]
  const table = alignColumns([header, ...status.services.map((one) => [one.service, ...cells(one, now)])])
  const settings = Object.entries(status.settings ?? {}).map(([key, value]) => `${key}=${value}`)
  const pins = new Map(status.services.flatMap((one) => Object.entries(one.pins)))
  const images = [...new Set(status.services.map((one) => one.image.replace('sha256:', '').slice(0, 12)))]
  const facts: [string, string][] = [
    ['release', `${status.product} ${status.release}, profile ${status.profile}`],
    ['image', images.join(', ')],
    ['pinned', [...pins].map(([name, version]) => `${name} ${version}`).join(', ')],
    ['settings', settings.join(', ') || 'as the profile says'],
    ...atWorkFacts(status),
    ...status.services.flatMap((one) => endingFacts(one, now)),
    ...status.services.flatMap(checkFacts),
  ]
  const width = Math.max(...facts.map(([key]) => key.length))
  const told = facts.filter(([, value]) => value !== '')
  return [status.name, ...table, '', ...told.map(([key, value]) => `${key.padEnd(width)}  ${value}`)]
}

/** Of an appliance that has no service here. Pure. */
export function describeAbsent(status: HostStatus): string[] {
  return [notInstalled(status.name), ...atWorkFacts(status).map(([key, value]) => `${key}  ${value}`)]
}

/** Many appliances: a line for each service. Pure. */
export function describeStatuses(statuses: readonly HostStatus[], now: number): string[] {
  const rows = statuses.flatMap(({ name, release, services }) =>
    services.map((one) => [name, one.service, ...cells(one, now), release]),
  )
  return alignColumns([['APPLIANCE', 'SERVICE', ...columns, 'RELEASE'], ...rows])
}

/** Running, and not unhealthy. */
export function isWell({ state, health }: ServiceStatus): boolean {
  return state === 'running' && health !== 'unhealthy'
}

const columns = ['STATE', 'HEALTH', 'UP', 'RESTARTS', 'MEMORY', 'CACHE', 'DRIFT', 'PORTS']

function cells(one: ServiceStatus, now: number): string[] {
  return [
    one.state,
    one.health,
    one.startedAt ? showDuration(now - Date.parse(one.startedAt)) : '-',
    String(one.restarts),
    showMemory(one),
    showCache(one),
    one.drift === undefined ? '-' : String(one.drift),
    one.ports.map(showPort).join(' ') || '-',
  ]
}

function showMemory({ memory: { used, cap, kills } }: ServiceStatus): string {
  const killed = kills ? `, ${kills} killed` : ''
  return `${used === undefined ? '-' : formatMemory(used)} of ${cap === undefined ? 'no cap' : formatMemory(cap)}${killed}`
}

function showCache({ cache }: ServiceStatus): string {
  if (!cache) return '-'
  const show = (amount: number): string => (cache.unit === 'bytes' ? formatBytes(amount) : String(amount))
  return `${cache.atMost ? 'up to ' : ''}${show(cache.used)} of ${show(cache.cap)}${cache.unit === 'names' ? ' names' : ''}`
}

/** The run that changes the appliance, or that never came to its end. */
function atWorkFacts({ atWork }: HostStatus): [string, string][] {
  if (!atWork) return []
  const run = plainText(atWork.run)
  if (atWork.ended === undefined) return [['at work', run]]
  return [['cut off', `${run}: ${atWork.ended}; the same command again finishes it`]]
}

/** The last three ends of a service, newest first. */
function endingFacts({ service, endings }: ServiceStatus, now: number): [string, string][] {
  return endings
    .slice(-3)
    .toReversed()
    .map((one) => ['ended', `${service} ${showEnding(one, now)}`])
}

function showEnding({ at, exitCode, outOfMemory }: Ending, now: number): string {
  const code = exitCode === undefined ? '' : `, exit code ${exitCode}`
  return `${at} (${showDuration(now - Date.parse(at))} ago)${outOfMemory ? ', out of memory' : ''}${code}`
}

function checkFacts({ service, health, lastCheck }: ServiceStatus): [string, string][] {
  if (health !== 'unhealthy' || !lastCheck) return []
  return [['unhealthy', `${service}, ${lastCheck.failures} checks in a row: ${plainText(lastCheck.said)}`]]
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}
