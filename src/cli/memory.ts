import { parseSize } from '../definition/size.ts'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { applyPlan } from '../host/apply.ts'
import { describePlan } from '../host/describe-plan.ts'
import { inspectHost } from '../host/inspect.ts'
import { containersOf, planMemoryChange } from '../host/plan-memory.ts'
import { readLimit, refuseBelowUse } from '../host/set-memory.ts'
import { readState } from '../host/state-volume.ts'
import type { Step } from '../host/step.ts'
import { formatMemory } from '../lib/bytes.ts'
import { badInput } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { chooseAppliance } from './host-name.ts'
import { printPlan } from './print-plan.ts'

export interface MemoryOptions {
  readonly directory: string
  readonly name?: string
  readonly force?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Gives a running service another memory limit, live and for good. */
export async function run(
  context: Context,
  options: MemoryOptions,
  [service = '', size = '']: string[],
): Promise<undefined> {
  const memory = readSize(size)
  const force = options.force === true
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const current = await inspectHost(engine, name)
  const mine = containersOf(current, service)
  if (!force) await refuseMoreThanHost(engine, memory)
  const { settings } = await readState(engine, name)
  const steps = planMemoryChange(current, settings, { service, memory, force })
  for (const step of steps) if (step.action === 'set-memory' && !force) await refuseBelowUse(engine, step)
  if (!options.json) printPlan(context, steps)
  if (options.dryRun) {
    if (options.json) context.print(memoryJson(name, service, memory, steps))
    return
  }
  const release = context.hold?.()
  try {
    await applyPlan(steps, { engine, report: context.report, signal: context.signal })
  } finally {
    release?.()
  }
  const real = await readLimit(engine, mine[0]!.name)
  if (options.json) {
    context.print(memoryJson(name, service, memory, steps, real))
    return
  }
  const said = real === undefined ? 'will have it when it runs' : `its cgroup says ${formatMemory(real)}`
  context.print(
    `${service} of ${name} may use ${formatMemory(memory)}; ${said}. Reset, upgrade and a new install keep it.`,
  )
}

function readSize(text: string): number {
  const bytes = parseSize(text)
  if (bytes !== undefined && bytes >= 6 * 2 ** 20) return bytes
  throw badInput('bad-size', `"${text}" is no memory size; write one such as 512m or 2g, at least 6m.`)
}

async function refuseMoreThanHost(engine: Engine, memory: number): Promise<void> {
  const { memory: all, hostName } = await engine.info()
  if (memory <= all) return
  throw badInput(
    'memory-too-large',
    `The host ${hostName} has ${formatMemory(all)} of memory, less than ${formatMemory(memory)}; give less, or say --force.`,
  )
}

function memoryJson(
  name: string,
  service: string,
  memory: number,
  steps: readonly Step[],
  real?: number,
): string {
  const changes = describePlan(steps)
  return JSON.stringify(
    { name, service, memory, ...(real !== undefined && { cgroup: real }), changes, steps },
    null,
    2,
  )
}
