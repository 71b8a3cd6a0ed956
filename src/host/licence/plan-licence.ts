import type { HostState } from '../state.ts'
import type { Step } from '../step.ts'
import type { HostTarget } from '../target.ts'

/** A licence that is to be put on a host; the text itself is no part of a plan, which is printed and logged. */
export interface LicenceChange {
  readonly id: string
  readonly customer: string
  /** When it first came to the host: ISO 8601. */
  readonly since: string
  /** The Engine's name of the volume. */
  readonly volume: string
}

/**
 * The steps of an install with the one that puts a licence in place: after the containers are made, so that a new
 * volume has its owner from the service's image, and before any of them starts. What goes on running is told.
 */
export function withLicence(
  steps: readonly Step[],
  current: HostState,
  target: HostTarget,
  { id, customer, since, volume }: LicenceChange,
): Step[] {
  const reason = `licence of ${customer}`
  const made =
    steps.findLastIndex(({ action }) => action === 'create-container' || action === 'create-volume') + 1
  const started = steps.flatMap((step) => (step.action === 'start-container' ? [step.service] : []))
  const told = target.containers.filter(
    ({ service, volumes, reload }) => reload && volumes.includes(volume) && !started.includes(service),
  )
  return [
    ...steps.slice(0, made),
    { action: 'write-licence', appliance: current.name, volume, id, since, reason },
    ...steps.slice(made),
    ...told.map(
      ({ service, name, reload = [] }): Step => ({
        action: 'reload-service',
        service,
        name,
        command: reload,
        reason: 'its licence changes',
      }),
    ),
  ]
}
