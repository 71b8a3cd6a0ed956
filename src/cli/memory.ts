import { parseSize } from '../definition/size.ts'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { applyPlan } from '../host/apply.ts'
import { describePlan } from '../host/describe-plan.ts'
import { inspectHost } from '../host/inspect.ts'
import { containersOf, type MemoryChange, planMemoryChange } from '../host/plan-memory.ts'
import { readLimit, refuseBelowUse } from '../host/set-memory.ts'
import { readState } from '../host/state-volume.ts'
import type { Step } from '../host/step.ts'
import { formatMemory } from '../lib/bytes.ts'
import { badInput } from '../lib/errors.ts'
import { changeHost } from './change-host.ts'
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
  if (!force) await refuseMoreThanHost(engine, memory)
  const change = { service, memory, force }
  if (options.dryRun) {
    const { steps } = await plan(engine, name, change)
    if (options.json) context.print(memoryJson(name, change, steps))
    else printPlan(context, steps)
    return
  }
  const { report, signal } = context
  await changeHost(context, engine, name, `memory ${service} ${size}`, async ({ check }) => {
    const { steps, container } = await plan(engine, name, change)
    if (!options.json) printPlan(context, steps)
    await applyPlan(steps, { engine, report, signal, check })
    const real = await readLimit(engine, container)
    if (options.json) context.print(memoryJson(name, change, steps, real))
    else context.print(closing(name, change, real))
  })
}

/** Looks at the host and at what is remembered. Throws where the change would end the service. */
async function plan(
  engine: Engine,
  name: string,
  change: MemoryChange,
): Promise<{ steps: Step[]; container: string }> {
  const [current, { settings }] = await Promise.all([inspectHost(engine, name), readState(engine, name)])
  const steps = planMemoryChange(current, settings, change)
  for (const step of steps) {
    if (step.action === 'set-memory' && !change.force) await refuseBelowUse(engine, step)
  }
  return { steps, container: containersOf(current, change.service)[0]!.name }
}

function closing(name: string, { service, memory }: MemoryChange, real: number | undefined): string {
  const said = real === undefined ? 'it will have it when it runs' : `its cgroup says ${formatMemory(real)}`
  return `${service} of ${name} may use ${formatMemory(memory)}; ${said}. Reset, upgrade and a new install keep it.`
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
  { service, memory }: MemoryChange,
  steps: readonly Step[],
  real?: number,
): string {
  const cgroup = real === undefined ? {} : { cgroup: real }
  return JSON.stringify({ name, service, memory, ...cgroup, changes: describePlan(steps), steps }, null, 2)
}
