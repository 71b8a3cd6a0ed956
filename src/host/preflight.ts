import { newestApi, oldestApi } from '../engine/api-version.ts'
import type { EngineVersion } from '../engine/engine.ts'
import { formatMemory } from '../lib/bytes.ts'
import { programName } from '../lib/command-name.ts'
import { SlipwayError } from '../lib/errors.ts'
import { newPorts, overlap, refuseConflicts } from './conflicts.ts'
import { type Finding, fail, failedFinding, pass, warn } from './finding.ts'
import type { HostFacts } from './host-facts.ts'
import { hostPorts } from './inspect.ts'
import { judgeDisk, judgeImageDisk } from './judge-disk.ts'
import type { HostState } from './state.ts'
import type { HostTarget } from './target.ts'

/** What an appliance asks of a host beside its target. */
export interface HostNeeds {
  readonly profile: string
  /** Bytes that its caches may grow to. */
  readonly cache: number
}

/** Milliseconds of a clock's difference that are said, and that are too much for certificates and logs. */
const noticedSkew = 5000
const wrongSkew = 300_000

/** Judges a host for a target. Pure: everything known stands in the arguments. */
export function judgeHost(
  facts: HostFacts,
  current: HostState,
  target: HostTarget,
  needs: HostNeeds,
): Finding[] {
  return [
    judgeMemory(facts, current, target, needs),
    judgeLimits(facts),
    ...judgeImageDisk(facts, current, target),
    judgeDisk(facts, current, target, needs.cache),
    judgeStorage(facts),
    ...judgeLowPorts(facts, current, target),
    ...judgeConflicts(current, target),
    judgeTime(facts),
    ...judgeWarnings(facts),
  ]
}

/** What was settled when the Engine was reached. */
export function judgeEngine(version: EngineVersion, address: string): Finding[] {
  return [
    pass(
      'engine',
      `Docker Engine ${version.engine} answers at ${address}, API ${version.api} (${programName()} speaks ${oldestApi} to ${newestApi})`,
    ),
    pass('containers', `It runs ${version.os} containers on ${version.architecture}`),
  ]
}

function judgeMemory(
  { info, freeMemory }: HostFacts,
  current: HostState,
  target: HostTarget,
  { profile }: HostNeeds,
): Finding {
  const caps = target.containers.map((one) => one.limit?.memory ?? 0)
  const wanted = caps.reduce((sum, cap) => sum + cap, 0)
  const says = `The profile ${profile} gives its services ${formatMemory(wanted)}; the host has ${formatMemory(info.memory)}`
  const fix = `choose a smaller profile, or give less (\`--set ${target.containers[caps.indexOf(Math.max(...caps))]?.service}.memory=…\`)`
  if (wanted > info.memory) return fail('memory', says, fix)
  if (freeMemory === undefined) return pass('memory', says)
  // What runs of it already has its share.
  const running = current.containers.filter((one) => one.status === 'running')
  const held = running.reduce((sum, one) => sum + (one.limit?.memory ?? 0), 0)
  const free = `${says}, ${formatMemory(freeMemory)} of it free`
  if (wanted - held <= freeMemory) return pass('memory', free)
  return warn('memory', free, `stop what else uses it, or ${fix}: the kernel ends processes when it runs out`)
}

function judgeLimits({ info }: HostFacts): Finding {
  if (!info.memoryLimit) {
    return info.rootless
      ? fail(
          'memory limits',
          'This rootless Engine cannot cap the memory of containers: for that it needs cgroup version 2 and systemd',
          'boot the host with systemd.unified_cgroup_hierarchy=1, or install into an Engine that runs as root',
        )
      : fail(
          'memory limits',
          "The host's kernel cannot cap the memory of containers",
          'boot it with cgroup_enable=memory',
        )
  }
  if (!info.swapLimit) {
    return warn(
      'memory limits',
      "The host's kernel caps memory, but not swap",
      'boot it with swapaccount=1, or without swap: a service over its memory limit gets slow instead of being ended',
    )
  }
  return pass('memory limits', `The host caps memory and swap (cgroup version ${info.cgroupVersion})`)
}

/** rootlesskit, which publishes the ports of a rootless Engine, is an ordinary user's program. */
function judgeLowPorts({ info }: HostFacts, current: HostState, target: HostTarget): Finding[] {
  if (!info.rootless) return []
  const low = newPorts(current, target).filter(({ port }) => port < 1024)
  if (low.length === 0) return []
  const [first] = low.sort((a, b) => a.port - b.port)
  return [
    warn(
      'low ports',
      `This rootless Engine publishes port ${first!.port} only where the host lets every user`,
      `let it (\`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${first!.port}\`), or choose ports from 1024 on with --set`,
    ),
  ]
}

function judgeStorage({ info }: HostFacts): Finding {
  const says = `Images are kept with ${info.storageDriver}`
  if (!/^(vfs|devicemapper|aufs)$/.test(info.storageDriver)) return pass('storage', says)
  return warn(
    'storage',
    `${says}, which is slow and takes more room`,
    'let the Engine use overlay2 ("storage-driver" in daemon.json), on ext4 or xfs',
  )
}

/** Each port that somebody holds, with the holder's name; names that are taken. */
function judgeConflicts(current: HostState, target: HostTarget): Finding[] {
  const wanted = newPorts(current, target)
  const taken = wanted.flatMap((port) => {
    const holder = current.foreign.ports.find((other) => overlap(port, other))?.holder
    return holder === undefined ? [] : [{ port, holder }]
  })
  const { foreign } = current
  const held = taken.map(({ port: { port, protocol }, holder }) =>
    fail(
      `port ${port}/${protocol}`,
      `Port ${port}/${protocol} of this host is in use by ${holder}`,
      portFix(port, holder, target),
    ),
  )
  const ports = wanted.map(({ port, protocol }) => `${port}/${protocol}`)
  const free =
    held.length > 0
      ? []
      : [
          pass(
            'ports',
            ports.length > 0 ? `Free: ${ports.join(', ')}` : 'The appliance has its own ports already',
          ),
        ]
  return [...held, ...free, ...judgeNames({ ...current, foreign: { ...foreign, ports: [] } }, target)]
}

function judgeNames(current: HostState, target: HostTarget): Finding[] {
  try {
    refuseConflicts(current, target)
    return [pass('names', `No stranger has the name of anything of ${target.name}`)]
  } catch (error) {
    if (error instanceof SlipwayError) return [failedFinding('names', error)]
    throw error
  }
}

/** What is known of the usual holders of a name server's port. */
function portFix(port: number, holder: string, target: HostTarget): string {
  const service = target.containers.find(({ spec }) =>
    hostPorts(spec.HostConfig.PortBindings ?? {}).some((one) => one.port === port),
  )?.service
  const other = `\`--set ${service}.port=ADDRESS:${port}\` to publish on one address that it does not use`
  if (/^systemd-resolve/.test(holder))
    return `write DNSStubListener=no into /etc/systemd/resolved.conf and \`systemctl restart systemd-resolved\`, or ${other}`
  if (/^(dnsmasq|named|unbound|connmand) /.test(holder)) return `stop it, or ${other}`
  return 'stop that, or give the profile another port, then run the same command again'
}

function judgeTime({ skew, info }: HostFacts): Finding {
  const seconds = Math.round(Math.abs(skew) / 1000)
  if (Number.isNaN(skew)) return warn('time', 'The Engine does not tell its time', 'look on the host: `date`')
  if (Math.abs(skew) < noticedSkew)
    return pass('time', `The host's clock (${info.time.slice(0, 19)}Z) agrees with this machine's`)
  const says = `The host's clock is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} this machine's`
  const fix = 'set both by NTP (`timedatectl set-ntp true`)'
  if (Math.abs(skew) < wrongSkew) return warn('time', says, fix)
  return fail('time', `${says}: certificates would count as expired or not yet valid`, fix)
}

/** Of what an Engine warns of itself, that which an appliance suffers from. */
function judgeWarnings({ info }: HostFacts): Finding[] {
  return info.warnings.flatMap((warning): Finding[] => {
    const [line = ''] = warning.replace(/^\[?DEPRECATION NOTICE\]?:? |^WARNING: /i, '').split('\n')
    const text = line.trim().replace(/\.$/, '')
    if (/IPv4 forwarding is disabled/i.test(text))
      return [
        fail(
          'forwarding',
          'The host forwards no IPv4 packets, so that no client reaches a container',
          '`sysctl -w net.ipv4.ip_forward=1`, and in /etc/sysctl.d for good',
        ),
      ]
    if (/without encryption|without authentication|insecure/i.test(text))
      return [warn('access', text, 'protect it with TLS (`--tlsverify`), or use ssh:// instead of tcp://')]
    return []
  })
}
