import { connectEngine } from '../engine/connect.ts'
import { applyPlan } from '../host/apply.ts'
import { dropHelperImage } from '../host/helper-image.ts'
import { inspectHost } from '../host/inspect.ts'
import { leftImages } from '../host/left-images.ts'
import { isTaken } from '../host/mutex.ts'
import { planHost } from '../host/plan.ts'
import { emptyTarget } from '../host/target.ts'
import { changeHost } from './change-host.ts'
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

/** Removes what carries the appliance's label, and nothing else. Images stay, since others may run from them, and are named. */
export async function run(context: Context, options: UninstallOptions): Promise<undefined> {
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const target = emptyTarget(name, options.keepData === true)
  const current = await inspectHost(engine, name)
  const steps = planHost(current, target)
  if (options.json) context.print(planJson(target, steps))
  else if (steps.length === 0) context.print(`Nothing on this host carries the name ${name}; nothing to do.`)
  else printPlan(context, steps)
  if (options.dryRun) return
  // A run that was killed at its very end leaves only its mutex.
  if (steps.length === 0 && !(await isTaken(engine, name))) return
  if (steps.length > 0 && !options.yes)
    await confirm(context, `Uninstalling ${name} deletes what stands above.`)
  const { report, signal } = context
  await changeHost(context, engine, name, 'uninstall', async ({ check }) => {
    const remaining = planHost(await inspectHost(engine, name), target)
    await applyPlan(remaining, { engine, report, signal, check })
  })
  await dropHelperImage(engine)
  if (options.json || steps.length === 0) return
  context.print(`${name} is gone from this host${options.keepData ? '; its volumes stay' : ''}.`)
  const left = await leftImages(engine, new Set(current.containers.map((one) => one.product)))
  if (left.length > 0)
    context.print(`The Engine still has its images; to remove them: docker image rm ${left.join(' ')}`)
}
