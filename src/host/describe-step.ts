import { formatMemory } from '../lib/bytes.ts'
import type { Step } from './step.ts'

/** A step in a few words, as progress shows it. */
export function describeStep(step: Step): string {
  switch (step.action) {
    case 'load-image':
      return `load image ${step.image.reference}`
    case 'tag-image':
      return `name image ${step.reference}`
    case 'create-network':
      return `create network ${step.network.name}`
    case 'remove-network':
      return `remove network ${step.name}`
    case 'create-volume':
      return `create volume ${step.volume.name}`
    case 'remove-volume':
      return `remove volume ${step.name}`
    case 'store-setting':
      return step.value === undefined ? `forget ${step.key}` : `remember ${step.key}=${step.value}`
    case 'record-release':
      return `record release ${step.record.release}`
    case 'remove-helper':
      return `remove container ${step.name}`
    case 'fill-volume':
      return `fill volume ${step.volume}`
    case 'write-licence':
      return `put licence ${step.id} into ${step.volume}`
    case 'put-files':
      return `put files into ${step.name}`
    case 'create-container':
      return `create container ${step.name}`
    case 'stop-container':
      return `stop container ${step.name}`
    case 'start-container':
      return `start container ${step.name}`
    case 'wait-healthy':
      return `wait for ${step.name}`
    case 'rename-container':
      return `rename container ${step.name} to ${step.to}`
    case 'remove-container':
      return `remove container ${step.name}`
    case 'set-memory':
      return `set memory of ${step.name} to ${formatMemory(step.limit.memory)}`
    case 'restore-file':
      return `put back ${step.path} in ${step.name}`
    case 'reload-service':
      return `reload ${step.name}`
  }
}
