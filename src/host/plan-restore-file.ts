import { stopContainer } from './plan-service.ts'
import type { HostContainer } from './state.ts'
import type { Step } from './step.ts'

/** A container in which a file is to be put back, and whether that changes anything. */
export interface FileSight {
  readonly container: HostContainer
  /** False: it is already as it is to be. */
  readonly differs: boolean
}

export interface FileWish {
  readonly appliance: string
  readonly path: string
  /** `kept`: the copy that an earlier `restore-file` kept, which changes places with what is there. */
  readonly from: 'image' | 'kept'
}

/** Milliseconds that a service has to be healthy with the file. */
const patience = 120_000

/**
 * The steps that put a file back in each container where it differs, and make its service take it: by its own reload
 * where it is well and has one, else by a restart. Of a service that was not well the file stays even when it does not
 * become healthy, since it may not be the only one that is damaged. Pure.
 */
export function planRestoreFile(sights: readonly FileSight[], { appliance, path, from }: FileWish): Step[] {
  return sights
    .filter(({ differs }) => differs)
    .flatMap(({ container }): Step[] => {
      const { service, name, imageId, status, health, reload } = container
      const isWell = status === 'running' && health !== 'unhealthy'
      const reason = from === 'image' ? 'it is other than in the image' : 'the kept copy comes back'
      const taken = { service, name, reason: `${path} was put back` }
      const hasHealthCheck = health !== 'none'
      const restored: Step = {
        action: 'restore-file',
        service,
        name,
        appliance,
        path,
        from,
        imageId,
        lasting: !isWell,
        reason,
      }
      // What was stopped on purpose stays so.
      if (status === 'created' || status === 'exited') return [restored]
      if (isWell && reload) {
        return [
          restored,
          { ...taken, action: 'reload-service', command: reload },
          { ...taken, action: 'wait-healthy', hasHealthCheck, patience },
        ]
      }
      return [
        restored,
        stopContainer(container, taken.reason),
        { ...taken, action: 'start-container' },
        { ...taken, action: 'wait-healthy', hasHealthCheck, patience },
      ]
    })
}
