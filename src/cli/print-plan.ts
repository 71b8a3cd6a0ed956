import { describePlan, formatPlan } from '../host/describe-plan.ts'
import type { Step } from '../host/step.ts'
import type { Context } from './context.ts'

const colors = { '+': 32, '~': 33, '-': 31 } as const

/** Prints a plan as a diff. */
export function printPlan(context: Context, steps: readonly Step[]): void {
  const changes = describePlan(steps)
  for (const [index, line] of formatPlan(changes).entries()) {
    const color = colors[changes[index]!.sign]
    context.print(context.color ? `\x1b[${color}m${line}\x1b[39m` : line)
  }
}
