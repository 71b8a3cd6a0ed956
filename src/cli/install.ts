import { applyPlan } from '../host/apply.ts'
import { beginHelperImage } from '../host/helper-image.ts'
import { isTaken } from '../host/mutex.ts'
import { readServiceAccess } from '../host/service-access.ts'
import type { Step } from '../host/step.ts'
import { changeHost } from './change-host.ts'
import type { Context } from './context.ts'
import { greeting } from './greeting.ts'
import { type InstallOptions, openInstall, type PreparedInstall } from './host-plan.ts'
import { nextSteps, printNextSteps } from './next-steps.ts'
import { planJson, showPlan } from './plan.ts'
import { preflightInstall } from './preflight.ts'
import { printPlan } from './print-plan.ts'

export interface ApplyOptions extends InstallOptions {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export async function run(context: Context, options: ApplyOptions, args: string[]): Promise<undefined> {
  const { engine, prepare } = await openInstall(context, options, args[0])
  if (options.dryRun) {
    showPlan(context, options, await prepare())
    return
  }
  const helper = beginHelperImage(engine)
  try {
    const done = await install(context, options, await prepare())
    if (done.length === 0) await helper.takeBack()
  } catch (error) {
    await helper.takeBack()
    throw error
  }
}

/** Returns what was done. */
async function install(
  context: Context,
  options: ApplyOptions,
  prepared: PreparedInstall,
): Promise<readonly Step[]> {
  const { engine, target, settings, steps } = prepared
  const { title, help } = greeting(prepared.image)
  if (steps.length > 0 && !options.json && title) context.print(title)
  if (steps.length > 0) await preflightInstall(context, prepared)
  // A run that was killed at its very end leaves only its mutex.
  const isOpen = steps.length > 0 || (await isTaken(engine, target.name))
  const done = isOpen ? await apply(context, options, prepared) : steps
  const services = await readServiceAccess(engine, target.name, passedChecks(done))
  const next = nextSteps(context, engine, target.name, services)
  if (options.json) {
    context.print(planJson(target, done, settings, next))
    return done
  }
  if (done.length === 0) context.print(`${target.name} is as it should be; nothing was changed.`)
  printNextSteps(context, `${target.name} ${target.release}`, services, next)
  if (done.length > 0 && help) context.print(help)
  return done
}

/** The containers that this run has waited for. */
function passedChecks(steps: readonly Step[]): Set<string> {
  return new Set(steps.flatMap((step) => (step.action === 'wait-healthy' ? [step.name] : [])))
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
