import { isStateStep } from './execute-state.ts'
import type { Step } from './step.ts'

/**
 * A plan in parts that are each done at once, in the plan's order: what is remembered is written in one go, and services
 * that have been started are awaited together. Containers start and stop one after the other, however independent they are: in Engines as old as 20.10, two that join or leave
 * the same network at the same moment can lock each other and with them the whole daemon (libnetwork takes the locks of
 * network and controller in both orders; seen). Pure.
 */
export function batchesOf(steps: readonly Step[]): Step[][] {
  const batches: Step[][] = []
  for (const step of steps) {
    const batch = batches.at(-1)
    if (batch && (areOneWrite(batch[0]!, step) || areAwaited(batch[0]!, step))) batch.push(step)
    else batches.push([step])
  }
  return batches
}

function areAwaited(first: Step, second: Step): boolean {
  return first.action === 'wait-healthy' && second.action === 'wait-healthy'
}

function areOneWrite(first: Step, second: Step): boolean {
  return isStateStep(first) && isStateStep(second) && first.appliance === second.appliance
}
