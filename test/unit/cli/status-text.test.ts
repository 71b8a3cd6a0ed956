import { describe, expect, it, vi } from 'vitest'
import { describeAbsent, describeStatus, describeStatuses, isWell } from '../../../src/cli/status-text.ts'
import type { HostStatus, ServiceStatus } from '../../../src/host/status.ts'

const now = Date.parse('2026-11-20T12:00:00Z')
const dns: ServiceStatus = {
  service: 'dns',
  container: 'acme-dns-1',
  state: 'running',
  health: 'healthy',
  restarts: 0,
  endings: [],
  startedAt: '2026-11-20T11:58:30Z',
  release: '1.0.0',
  image: 'sha256:0123456789abcdef',
  pins: { openssl: '3.5.1-1' },
  memory: { used: 3_145_728, cap: 67_108_864, kills: 0 },
  cache: { used: 12, cap: 5000, unit: 'names', atMost: true },
  drift: 0,
  ports: [{ ip: '', port: 53, protocol: 'udp' }],
}
const optimiser: ServiceStatus = {
  service: 'optimiser',
  container: 'acme-optimiser-1',
  state: 'exited',
  health: 'unhealthy',
  lastCheck: { at: '2026-11-20T11:59:00Z', said: 'no \u001b[2Janswer', failures: 3 },
  restarts: 2,
  endings: [
    { at: '2026-11-18T12:00:00.000Z', exitCode: 1, outOfMemory: false },
    { at: '2026-11-20T11:59:00.000Z', exitCode: 137, outOfMemory: true },
  ],
  release: '1.0.0',
  image: 'sha256:0123456789abcdef',
  pins: { openssl: '3.5.1-1' },
  memory: {},
  ports: [],
}
const status: HostStatus = {
  name: 'acme',
  product: 'acme-cache',
  release: '1.0.0',
  profile: 'branch',
  settings: { 'optimiser.memory': '1g' },
  services: [dns, optimiser],
}

describe('status for people', () => {
  it('is a table of the services, and what there is to tell of the whole', () => {
    expect(describeStatus(status, now)).toEqual([
      'acme',
      'SERVICE    STATE    HEALTH     UP    RESTARTS  MEMORY           CACHE                   DRIFT  PORTS',
      'dns        running  healthy    90 s  0         3 MiB of 64 MiB  up to 12 of 5000 names  0      53/udp',
      'optimiser  exited   unhealthy  -     2         - of no cap      -                       -      -',
      '',
      'release    acme-cache 1.0.0, profile branch',
      'image      0123456789ab',
      'pinned     openssl 3.5.1-1',
      'settings   optimiser.memory=1g',
      'ended      optimiser 2026-11-20T11:59:00.000Z (60 s ago), out of memory, exit code 137',
      'ended      optimiser 2026-11-18T12:00:00.000Z (2 d ago), exit code 1',
      'unhealthy  optimiser, 3 checks in a row: no \ufffd[2Janswer',
    ])
  })

  it('tells who changes the appliance, and a run that was cut off with what to do', () => {
    const run = 'install, by root on host7 (process 12), since 2026-11-20 11:59:00 UTC (60 s ago)'
    const line = (atWork: HostStatus['atWork']): string | undefined =>
      describeStatus({ ...status, ...(atWork && { atWork }) }, now).find((one) => one.includes('process 12'))
    expect(line({ run })).toBe(`at work    ${run}`)
    const cutOff = { run, ended: 'its process has ended' }
    expect(line(cutOff)).toBe(`cut off    ${run}: its process has ended; the same command again finishes it`)
    expect(describeAbsent({ ...status, services: [], atWork: cutOff })).toEqual([
      'acme is not installed on this host; `slipway install` installs it.',
      `cut off  ${run}: its process has ended; the same command again finishes it`,
    ])
  })

  it('of none, under a partner’s name, says what installs it there: a bundle', () => {
    vi.stubEnv('SLIPWAY_COMMAND', 'acme-wan')
    expect(describeAbsent({ ...status, services: [] })).toEqual([
      'acme is not installed on this host; `acme-wan install --bundle FILE --profile NAME` installs it.',
    ])
    vi.unstubAllEnvs()
  })

  it('of several appliances is a line for each service', () => {
    expect(describeStatuses([{ ...status, services: [dns] }], now)).toEqual([
      'APPLIANCE  SERVICE  STATE    HEALTH   UP    RESTARTS  MEMORY           CACHE                   DRIFT  PORTS   RELEASE',
      'acme       dns      running  healthy  90 s  0         3 MiB of 64 MiB  up to 12 of 5000 names  0      53/udp  1.0.0',
    ])
  })

  it('says how many processes the kernel ended', () => {
    const killed = { ...dns, memory: { used: 2 ** 30, cap: 2 ** 30, kills: 2 } }
    expect(describeStatus({ ...status, services: [killed] }, now)[2]).toContain('1 GiB of 1 GiB, 2 killed')
  })

  it('calls a service well that runs and is not unhealthy', () => {
    expect([dns, optimiser, { ...dns, health: 'starting' as const }].map(isWell)).toEqual([true, false, true])
  })
})
