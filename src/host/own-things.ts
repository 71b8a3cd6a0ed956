import type { VolumeSpec } from '../engine/engine.ts'
import { ownLabels, roles } from './labels.ts'

/** The volume that an appliance's own state is in. */
export function stateVolume(name: string): VolumeSpec {
  return { name: `${name}_state`, driver: 'local', options: {}, labels: stateLabels(name) }
}

/** The container through which that volume is read and written; it is never started. */
export function stateContainer(name: string): string {
  return `${name}-state`
}

/** Of the state's volume and container. */
export function stateLabels(name: string): Record<string, string> {
  return { [ownLabels.appliance]: name, [ownLabels.component]: 'state', [ownLabels.role]: roles.state }
}

/** The container that is there while a run changes the appliance; it is never started. */
export function mutexContainer(name: string): string {
  return `${name}-mutex`
}
