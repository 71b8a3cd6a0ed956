import { formatSize } from '../definition/size.ts'
import type { Engine } from '../engine/engine.ts'
import { formatMemory } from '../lib/bytes.ts'
import { commandName } from '../lib/command-name.ts'
import { SlipwayError } from '../lib/errors.ts'
import { plainText } from '../lib/plain-text.ts'
import type { ContainerStep } from './step.ts'
import type { MemoryLimit } from './target.ts'

type SetMemory = Extract<ContainerStep, { action: 'set-memory' }>
type Reload = Extract<ContainerStep, { action: 'reload-service' }>

/** What must be free above present use: an eighth of it, at least 8 MiB. */
export function headroom(used: number): number {
  return Math.max(8 * 2 ** 20, Math.ceil(used / 8))
}

/**
 * Changes the limit of a container in place, memory and swap together, and reads it back from the cgroup; what fails
 * after the Engine took it leaves the former one. Throws `memory-in-use` (exit code 1, nothing changed) below present
 * use plus headroom: the kernel would end the service.
 */
export async function setMemory(engine: Engine, step: SetMemory): Promise<() => Promise<void>> {
  const { name, service, limit, previous, force } = step
  if (!force) await refuseBelowUse(engine, step)
  try {
    await update(engine, name, limit, service)
  } catch (error) {
    if (previous) await setLimit(engine, name, previous).catch(() => {})
    throw error
  }
  return async () => {
    if (previous) return update(engine, name, previous, service)
    throw new SlipwayError(
      'limit-stays',
      `it had no limit before, and an Engine takes none away; \`${commandName()} install\` makes the container anew`,
    )
  }
}

/** Throws `memory-in-use` where a limit leaves no headroom above what the container uses now. */
export async function refuseBelowUse(
  engine: Engine,
  { name, service, limit }: Pick<SetMemory, 'name' | 'service' | 'limit'>,
): Promise<void> {
  const used = (await engine.containers.memory(name))?.used ?? 0
  const least = used + headroom(used)
  if (limit.memory >= least) return
  const enough = formatSize(Math.ceil(least / 2 ** 20) * 2 ** 20)
  throw new SlipwayError(
    'memory-in-use',
    `The service ${service} uses ${formatMemory(used)} now, so that a limit of ${formatMemory(limit.memory)} could end it; give it ${enough} or more, or restart it first (\`${commandName()} reset restart\`), or say --force.`,
  )
}

async function setLimit(engine: Engine, name: string, { memory, swap }: MemoryLimit): Promise<void> {
  await engine.containers.update(name, { memory, memorySwap: swap })
}

async function update(engine: Engine, name: string, limit: MemoryLimit, service: string): Promise<void> {
  await setLimit(engine, name, limit)
  const real = await readLimit(engine, name)
  // The kernel counts in pages.
  if (real === undefined || Math.abs(real - limit.memory) < 65_536) return
  throw new SlipwayError(
    'memory-not-set',
    `The Docker Engine took ${formatMemory(limit.memory)} for the service ${service}, but its cgroup says ${formatMemory(real)}; the Engine's log (\`journalctl -u docker\`) tells more.`,
  )
}

/** Bytes, as the container's own cgroup says; undefined where it does not run. */
export async function readLimit(engine: Engine, name: string): Promise<number | undefined> {
  const document = await engine.containers.inspect(name)
  if (!document?.State.Running) return undefined
  for (const file of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    const answer = await engine.containers.exec(name, ['cat', file], { user: '0', timeout: 10_000 })
    const bytes = answer.exitCode === 0 ? Number(answer.stdout.trim()) : Number.NaN
    if (Number.isFinite(bytes)) return bytes
  }
  // An image without `cat`: what the Engine itself reads from the cgroup.
  return (await engine.containers.memory(name))?.limit
}

/** Runs a service's reload command in its container, as the container's user. Throws `reload-failed`. */
export async function reloadService(engine: Engine, { name, service, command }: Reload): Promise<void> {
  const { exitCode, stdout, stderr } = await engine.containers.exec(name, command, { timeout: 60_000 })
  if (exitCode === 0) return
  const last = (stderr.trim() || stdout.trim()).split(/\r?\n/).at(-1) ?? ''
  const words = plainText(last.slice(0, 300).replace(/\.$/, ''))
  throw new SlipwayError(
    'reload-failed',
    `The service ${service} did not take its settings: ${words || `${command[0]} ended with exit code ${exitCode}`}; \`${commandName()} logs ${service}\` tells more.`,
  )
}
