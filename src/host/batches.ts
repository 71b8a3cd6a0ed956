import { isStateStep } from './execute-state.ts'
import type { Step } from './step.ts'

/**
 * A plan in parts that are each done at once, in the plan's order: containers that start or stop one after the other
 * need not wait for each other, and what is remembered is written once. Pure.
 */
export function batchesOf(steps: readonly Step[]): Step[][] {
  const batches: Step[][] = []
  for (const step of steps) {
    const batch = batches.at(-1)
    if (batch?.every((other) => areIndependent(other, step))) batch.push(step)
    else batches.push([step])
  }
  return batches
}

function areIndependent(first: Step, second: Step): boolean {
  if (isStateStep(first) && isStateStep(second)) return first.appliance === second.appliance
  if (first.action === 'stop-container' && second.action === 'stop-container') return true
  if (first.action !== 'start-container' || second.action !== 'start-container') return false
  return !(second.after ?? []).includes(first.service)
}
