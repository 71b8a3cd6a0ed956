import { connectEngine } from '../engine/connect.ts'
import { applyPlan } from '../host/apply.ts'
import { inspectHost } from '../host/inspect.ts'
import { planHost } from '../host/plan.ts'
import { emptyTarget } from '../host/target.ts'
import { confirm } from './confirm.ts'
import type { Context } from './context.ts'
import { chooseAppliance } from './host-name.ts'
import { planJson } from './plan.ts'
import { printPlan } from './print-plan.ts'

export interface UninstallOptions {
  readonly directory: string
  readonly name?: string
  readonly keepData?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

/** Removes what carries the appliance's label, and nothing else. Images stay: others may run from them. */
export async function run(context: Context, options: UninstallOptions): Promise<undefined> {
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const target = emptyTarget(name, options.keepData === true)
  const steps = planHost(await inspectHost(engine, name), target)
  if (options.json) context.print(planJson(target, steps))
  else if (steps.length === 0) context.print(`Nothing on this host carries the name ${name}; nothing to do.`)
  else printPlan(context, steps)
  if (options.dryRun || steps.length === 0) return
  if (!options.yes) await confirm(context, `Uninstalling ${name} deletes what stands above.`)
  const release = context.hold?.()
  try {
    await applyPlan(steps, { engine, report: context.report, signal: context.signal })
  } finally {
    release?.()
  }
  if (!options.json)
    context.print(`${name} is gone from this host${options.keepData ? '; its volumes stay' : ''}.`)
}
