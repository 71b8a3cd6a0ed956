import { describePlan } from '../host/describe-plan.ts'
import type { Step } from '../host/step.ts'
import type { HostTarget } from '../host/target.ts'
import type { Context } from './context.ts'
import { type InstallOptions, prepareInstall } from './host-plan.ts'
import { printPlan } from './print-plan.ts'

export async function run(context: Context, options: InstallOptions, args: string[]): Promise<undefined> {
  const { steps, target } = await prepareInstall(context, options, args[0])
  if (options.json) context.print(planJson(target, steps))
  else if (steps.length === 0) context.print(`${target.name} is as it should be; nothing to do.`)
  else printPlan(context, steps)
}

/** The plan for programs: the lines that people see, and the steps themselves. */
export function planJson({ name, product, release }: HostTarget, steps: readonly Step[]): string {
  return JSON.stringify({ name, product, release, changes: describePlan(steps), steps }, null, 2)
}
