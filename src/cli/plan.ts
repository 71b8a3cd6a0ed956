import { describePlan } from '../host/describe-plan.ts'
import type { Step } from '../host/step.ts'
import { formatSettings, type Settings } from '../host/stored-settings.ts'
import type { HostTarget } from '../host/target.ts'
import type { Context } from './context.ts'
import { type InstallOptions, type PreparedInstall, prepareInstall } from './host-plan.ts'
import type { NextSteps } from './next-steps.ts'
import { printPlan } from './print-plan.ts'

export async function run(context: Context, options: InstallOptions, args: string[]): Promise<undefined> {
  showPlan(context, options, await prepareInstall(context, options, args[0]))
}

/** What an install would do, and the settings of the site that it stands on. */
export function showPlan(
  context: Context,
  { json }: Pick<InstallOptions, 'json'>,
  { target, steps, settings }: PreparedInstall,
): void {
  if (json) {
    context.print(planJson(target, steps, settings))
    return
  }
  if (steps.length === 0) context.print(`${target.name} is as it should be; nothing to do.`)
  else printPlan(context, steps)
  const own = formatSettings(settings)
  if (own.length > 0) context.print(`Settings of this site over the profile: ${own.join(' ')}`)
}

/** The plan for programs: the lines that people see, and the steps themselves. */
export function planJson(
  { name, product, release }: HostTarget,
  steps: readonly Step[],
  settings?: Settings,
  next?: NextSteps,
): string {
  const changes = describePlan(steps)
  return JSON.stringify(
    { name, product, release, ...(settings && { settings }), changes, steps, ...(next && { next }) },
    null,
    2,
  )
}
