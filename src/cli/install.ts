import { applyPlan } from '../host/apply.ts'
import { isTaken } from '../host/mutex.ts'
import { readStatus } from '../host/status.ts'
import type { Step } from '../host/step.ts'
import { changeHost } from './change-host.ts'
import type { Context } from './context.ts'
import { greeting } from './greeting.ts'
import { type InstallOptions, type PreparedInstall, prepareInstall } from './host-plan.ts'
import { nextSteps, printNextSteps } from './next-steps.ts'
import { planJson, showPlan } from './plan.ts'
import { preflightInstall } from './preflight.ts'
import { printPlan } from './print-plan.ts'

export interface ApplyOptions extends InstallOptions {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export async function run(context: Context, options: ApplyOptions, args: string[]): Promise<undefined> {
  const prepared = await prepareInstall(context, options, args[0])
  const { engine, target, settings, steps } = prepared
  if (options.dryRun) {
    showPlan(context, options, prepared)
    return
  }
  const { title, help } = greeting(prepared.image)
  if (steps.length > 0 && !options.json && title) context.print(title)
  if (steps.length > 0) await preflightInstall(context, prepared)
  // A run that was killed at its very end leaves only its mutex.
  const isOpen = steps.length > 0 || (await isTaken(engine, target.name))
  const done = isOpen ? await apply(context, options, prepared) : steps
  const status = await readStatus(engine, target.name, { quick: true })
  const next = nextSteps(context, engine, status)
  if (options.json) {
    context.print(planJson(target, done, settings, next))
    return
  }
  if (done.length === 0) context.print(`${target.name} is as it should be; nothing was changed.`)
  printNextSteps(context, status, target.release, next)
  if (done.length > 0 && help) context.print(help)
}

async function apply(
  context: Context,
  options: ApplyOptions,
  { engine, target, again }: PreparedInstall,
): Promise<readonly Step[]> {
  const { report, signal } = context
  return changeHost(context, engine, target.name, 'install', async ({ check }) => {
    const { image, steps, licence } = await again()
    if (!options.json) printPlan(context, steps)
    await applyPlan(steps, { engine, image, report, signal, check, ...(licence && { licence }) })
    return steps
  })
}
