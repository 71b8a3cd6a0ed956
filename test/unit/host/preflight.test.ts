import { describe, expect, it } from 'vitest'
import type { EngineInfo } from '../../../src/engine/engine.ts'
import { failedFinding, refuseFailures } from '../../../src/host/finding.ts'
import type { HostFacts } from '../../../src/host/host-facts.ts'
import { planHost } from '../../../src/host/plan.ts'
import { judgeHost } from '../../../src/host/preflight.ts'
import type { Foreign } from '../../../src/host/state.ts'
import type { HostTarget } from '../../../src/host/target.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { caught } from '../../support/caught.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost, sampleTarget } from './sample.ts'

const GiB = 2 ** 30
const info: EngineInfo = {
  hostName: 'edge',
  operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  cpus: 2,
  memory: 4 * GiB,
  cgroupVersion: '2',
  storageDriver: 'overlay2',
  containerdStore: false,
  warnings: [],
  time: '2026-11-20T12:00:00.5Z',
  rootDirectory: '/var/lib/docker',
  memoryLimit: true,
  swapLimit: true,
  liveRestore: false,
  rootless: false,
}
const facts: HostFacts = { info, skew: 12, freeMemory: 2 * GiB, freeDisk: 50e9 }
const needs = { profile: 'branch', cache: 2 * GiB }
const target = sampleTarget()

/** Findings that don't pass, of a host that is fit but for `change`. */
function trouble(
  change: Partial<Omit<HostFacts, 'info'>> & { info?: Partial<EngineInfo> },
  foreign: Partial<Foreign> = {},
) {
  const changed = { ...facts, ...change, info: { ...info, ...change.info } }
  const current = { ...emptyHost, foreign: { ...emptyHost.foreign, ...foreign } }
  return judgeHost(changed, current, target, needs).filter((one) => one.status !== 'pass')
}

describe('preflight', () => {
  it('passes a fit host, and says what it looked at', () => {
    expect(judgeHost(facts, emptyHost, target, needs)).toEqual([
      {
        check: 'memory',
        status: 'pass',
        says: 'The profile branch gives its services 64 MiB; the host has 4 GiB, 2 GiB of it free',
      },
      { check: 'memory limits', status: 'pass', says: 'The host caps memory and swap (cgroup version 2)' },
      {
        check: 'disk',
        status: 'pass',
        says: 'The image needs 4.00 kB more and the caches up to 2.15 GB in /var/lib/docker; 50.0 GB are free',
      },
      { check: 'storage', status: 'pass', says: 'Images are kept with overlay2' },
      { check: 'ports', status: 'pass', says: 'Free: 53/udp, 3128/tcp' },
      { check: 'names', status: 'pass', says: 'No stranger has the name of anything of acme' },
      {
        check: 'time',
        status: 'pass',
        says: "The host's clock (2026-11-20T12:00:00Z) agrees with this machine's",
      },
    ])
  })

  it('fails a host with less memory than the profile gives away, and names the largest service', () => {
    expect(trouble({ info: { memory: 32 * 2 ** 20 } })).toEqual([
      {
        check: 'memory',
        status: 'fail',
        says: 'The profile branch gives its services 64 MiB; the host has 32 MiB',
        fix: 'choose a smaller profile, or give less (`--set optimiser.memory=…`)',
      },
    ])
  })

  it('warns where memory is there but taken; what the appliance holds already does not count twice', () => {
    const scarce = { ...facts, freeMemory: 2 ** 20 }
    expect(trouble({ freeMemory: 2 ** 20 })).toMatchObject([{ check: 'memory', status: 'warn' }])
    const installed = planHost(emptyHost, target).reduce(applyStep, emptyHost)
    expect(judgeHost(scarce, installed, target, needs).filter((one) => one.status !== 'pass')).toEqual([])
  })

  it('fails without room for the image, warns without room for a full cache or where it cannot look', () => {
    expect(trouble({ freeDisk: 50e6 })).toMatchObject([{ check: 'disk', status: 'fail' }])
    expect(trouble({ freeDisk: 1e9 })).toMatchObject([{ check: 'disk', status: 'warn' }])
    const { freeDisk, ...unseen } = facts
    const remote = judgeHost(unseen, emptyHost, target, needs).filter((one) => one.status !== 'pass')
    expect(remote).toEqual([
      {
        check: 'disk',
        status: 'warn',
        says: 'The image needs 4.00 kB more and the caches up to 2.15 GB in /var/lib/docker; how much is free cannot be seen from this machine',
        fix: 'look on the host: `df -h /var/lib/docker`',
      },
    ])
  })

  it('asks for no room for what is there already, and for the caches where any of them is new', () => {
    const installed = planHost(emptyHost, target).reduce(applyStep, emptyHost)
    const log = { ...target.volumes[0]!, name: 'acme_log' }
    const says = (wanted: HostTarget): string | undefined =>
      judgeHost(facts, installed, wanted, needs).find(({ check }) => check === 'disk')?.says
    expect([says(target), says({ ...target, volumes: [...target.volumes, log] })]).toEqual([
      'The image needs 0 B more and the caches up to 0 B in /var/lib/docker; 50.0 GB are free',
      'The image needs 0 B more and the caches up to 2.15 GB in /var/lib/docker; 50.0 GB are free',
    ])
  })

  it('holds the image against the disk where containerd keeps images, where that is another', () => {
    const containerd = { containerdStore: true, imageDirectory: '/var/lib/containerd' }
    expect(trouble({ info: containerd, freeImageDisk: 50e6 })).toEqual([
      {
        check: 'image disk',
        status: 'fail',
        says: 'The image needs 4.00 kB more in /var/lib/containerd; 50.0 MB are free',
        fix: 'make room (`docker system df` shows what fills it), then run the same command again',
      },
    ])
    expect(trouble({ info: containerd, freeImageDisk: 1e9 })).toEqual([])
  })

  it('names who holds a port, and how the usual holder of port 53 lets go of it', () => {
    const held = (holder: string) => trouble({}, { ports: [{ ip: '', port: 53, protocol: 'udp', holder }] })
    expect(held('systemd-resolve (process 311)')).toEqual([
      {
        check: 'port 53/udp',
        status: 'fail',
        says: 'Port 53/udp of this host is in use by systemd-resolve (process 311)',
        fix: 'write DNSStubListener=no into /etc/systemd/resolved.conf and `systemctl restart systemd-resolved`, or `--set dns.port=ADDRESS:53` to publish on one address that it does not use',
      },
    ])
    expect(held('container web')[0]!.fix).toBe(
      'stop that, or give the profile another port, then run the same command again',
    )
  })

  it('fails where a stranger has a name that is needed', () => {
    expect(trouble({}, { volumes: ['acme_cache'] })).toEqual([
      {
        check: 'names',
        status: 'fail',
        says: 'the volume acme_cache exists on this host and is not of the appliance acme',
        fix: 'remove or rename it, or choose another --name',
      },
    ])
  })

  it('judges a clock by how much it differs from this machine’s', () => {
    const fix = 'set both by NTP (`timedatectl set-ntp true`)'
    const clock = (skew: number) => trouble({ skew })
    expect([clock(4000), clock(-90_000), clock(400_000), clock(Number.NaN)]).toEqual([
      [],
      [{ check: 'time', status: 'warn', says: "The host's clock is 90 s behind this machine's", fix }],
      [
        {
          check: 'time',
          status: 'fail',
          says: "The host's clock is 400 s ahead of this machine's: certificates would count as expired or not yet valid",
          fix,
        },
      ],
      [
        {
          check: 'time',
          status: 'warn',
          says: 'The Engine does not tell its time',
          fix: 'look on the host: `date`',
        },
      ],
    ])
  })

  it('says what a host lacks', () => {
    const lacking = trouble({
      info: {
        memoryLimit: false,
        storageDriver: 'vfs',
        warnings: [
          'WARNING: IPv4 forwarding is disabled',
          'WARNING: No blkio throttle.read_bps_device support',
          'WARNING: API is accessible on http://0.0.0.0:2375 without encryption.\n         Access is root',
        ],
      },
    })
    expect(lacking.map(({ check, status }) => `${check}: ${status}`)).toEqual([
      'memory limits: fail',
      'storage: warn',
      'forwarding: fail',
      'access: warn',
    ])
    expect(trouble({ info: { swapLimit: false } })).toMatchObject([
      { check: 'memory limits', status: 'warn' },
    ])
  })

  it('says what a rootless Engine may not do', () => {
    expect(trouble({ info: { rootless: true, memoryLimit: false } })).toEqual([
      {
        check: 'memory limits',
        status: 'fail',
        says: 'This rootless Engine cannot cap the memory of containers: for that it needs cgroup version 2 and systemd',
        fix: 'boot the host with systemd.unified_cgroup_hierarchy=1, or install into an Engine that runs as root',
      },
      {
        check: 'low ports',
        status: 'warn',
        says: 'This rootless Engine publishes port 53 only where the host lets every user',
        fix: 'let it (`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=53`), or choose ports from 1024 on with --set',
      },
    ])
  })

  it('says nothing of low ports where a rootless Engine is to publish none', () => {
    const high = sampleTarget({ compose: composeText.replace('"53:53/udp"', '"1053:53/udp"') })
    const rootless = { ...facts, info: { ...info, rootless: true } }
    expect(judgeHost(rootless, emptyHost, high, needs)).toEqual(judgeHost(facts, emptyHost, high, needs))
  })

  it('calls ports free only where all are', () => {
    const ports = (holders: Foreign['ports']) =>
      judgeHost(facts, { ...emptyHost, foreign: { ...emptyHost.foreign, ports: holders } }, target, needs)
        .filter(({ check }) => check.startsWith('port'))
        .map(({ check, status }) => `${check}: ${status}`)
    expect(ports([])).toEqual(['ports: pass'])
    expect(ports([{ ip: '', port: 3128, protocol: 'tcp', holder: 'squid (process 7)' }])).toEqual([
      'port 3128/tcp: fail',
    ])
  })

  it('ends an install with exit code 3 and every failed finding in its words', async () => {
    const findings = trouble({ info: { memory: 32 * 2 ** 20 }, freeDisk: 1e6 } as never)
    expect(await caught(() => refuseFailures(findings))).toMatchObject({
      code: 'preflight-failed',
      exitCode: 3,
      message:
        'The profile branch gives its services 64 MiB; the host has 32 MiB; choose a smaller profile, or give less (`--set optimiser.memory=…`). The image needs 4.00 kB more and the caches up to 2.15 GB in /var/lib/docker; 1.00 MB are free; make room (`docker system df` shows what fills it), then run the same command again.',
    })
  })

  it('takes an error apart into what is wrong and what to do', () => {
    const message =
      'No Docker Engine answers at unix:///var/run/docker.sock: `systemctl start docker` starts it, then run the same command again.'
    expect(failedFinding('engine', new SlipwayError('no-engine', message))).toEqual({
      check: 'engine',
      status: 'fail',
      says: 'No Docker Engine answers at unix:///var/run/docker.sock',
      fix: '`systemctl start docker` starts it, then run the same command again',
    })
  })
})
