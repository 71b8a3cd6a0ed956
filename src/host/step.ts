import type { ContainerSpec } from '../engine/documents.ts'
import type { VolumeSpec } from '../engine/engine.ts'
import type { BackupArchive } from './backup/format.ts'
import type { ReleaseRecord } from './state-document.ts'
import type { MemoryLimit, TargetImage, TargetNetwork } from './target.ts'

/**
 * One change to a host, complete in itself and plain data. Containers are called by name, since a container to be
 * made has no ID yet. `reason` is for people: why this step is needed.
 */
export type Step = StepAction & { readonly reason: string }

export type StepAction =
  | { readonly action: 'load-image'; readonly image: TargetImage }
  | {
      readonly action: 'tag-image'
      readonly id: string
      readonly reference: string
      /** The image that has the reference now. */
      readonly previous?: string
    }
  | { readonly action: 'create-network'; readonly network: TargetNetwork }
  | { readonly action: 'remove-network'; readonly name: string; readonly id: string }
  | { readonly action: 'create-volume'; readonly volume: VolumeSpec }
  | { readonly action: 'remove-volume'; readonly name: string }
  /** Remembers a setting of this site, as `--set` takes it; `value` undefined forgets it. */
  | {
      readonly action: 'store-setting'
      readonly appliance: string
      readonly key: string
      readonly value?: string
      readonly previous?: string
    }
  /** Notes a successful install, with the time at which it is done. */
  | {
      readonly action: 'record-release'
      readonly appliance: string
      readonly record: Omit<ReleaseRecord, 'at'>
    }
  /** A container of Slipway's own, through which the state volume is read; it is made again when it is needed. */
  | { readonly action: 'remove-helper'; readonly name: string }
  /** Unpacks one volume of a backup into a volume that is empty. */
  | {
      readonly action: 'fill-volume'
      readonly appliance: string
      readonly volume: string
      readonly archive: BackupArchive
    }
  /** Puts a licence, which is no part of the plan, into its volume. */
  | {
      readonly action: 'write-licence'
      readonly appliance: string
      readonly volume: string
      readonly id: string
      /** ISO 8601. */
      readonly since: string
    }
  | ContainerStep

export type ContainerStep = { readonly service: string; readonly name: string } & (
  | {
      readonly action: 'create-container'
      readonly spec: ContainerSpec
      readonly imageIds: readonly string[]
    }
  /** `atOnce`: without waiting for the service's own end. */
  | { readonly action: 'stop-container'; readonly atOnce?: boolean }
  /** Unpacks the changed files of a backup into a container that was never started. */
  | { readonly action: 'put-files'; readonly archive: BackupArchive }
  | { readonly action: 'start-container' }
  /** `patience` in milliseconds. Without a health check: that it stays up. */
  | { readonly action: 'wait-healthy'; readonly hasHealthCheck: boolean; readonly patience: number }
  | { readonly action: 'rename-container'; readonly to: string }
  | { readonly action: 'remove-container' }
  /** Live; refused below present use plus headroom unless `force`. */
  | {
      readonly action: 'set-memory'
      readonly limit: MemoryLimit
      /** Absent: it had none. */
      readonly previous?: MemoryLimit
      readonly force: boolean
      /** The appliance that is to remember that a reload is due, until that is done; absent: none follows. */
      readonly notedIn?: string
    }
  | { readonly action: 'reload-service'; readonly command: readonly string[]; readonly notedIn?: string }
  /** One file as the image has it, or as it was kept; `lasting`: what failed after it does not take it back. */
  | {
      readonly action: 'restore-file'
      readonly appliance: string
      readonly path: string
      readonly from: 'image' | 'kept'
      readonly imageId: string
      readonly lasting: boolean
    }
)

/** Steps that nothing can take back. */
export function isIrreversible(step: Step): boolean {
  if (step.action === 'restore-file') return step.lasting
  return ['remove-container', 'remove-network', 'remove-volume'].includes(step.action)
}
