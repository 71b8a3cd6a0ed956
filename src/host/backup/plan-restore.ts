import { badInput } from '../../lib/errors.ts'
import { refuseVolumeGuests } from '../conflicts.ts'
import { ownLabels } from '../labels.ts'
import { planHost } from '../plan.ts'
import type { HostState } from '../state.ts'
import type { Step } from '../step.ts'
import type { HostTarget } from '../target.ts'
import type { BackupArchive, BackupHeader } from './format.ts'

const why = 'a backup is restored'

/**
 * The steps that bring a host to what a backup says: every container anew, with the files that had been changed, on
 * volumes that are filled before anything that serves is stopped. The former volumes go last, once the new containers
 * are healthy, so that until then everything can be taken back. `target` names the new volumes. Pure.
 */
export function planRestore(current: HostState, target: HostTarget, header: BackupHeader): Step[] {
  const volumes = header.archives.filter(({ type }) => type === 'volume')
  const former = formerVolumes(current, target, volumes)
  refuseVolumeGuests(former, target.name)
  const planned = planHost(outdated(current), target).map(explain)
  const files = isOfSameImage(header, target)
    ? header.archives.filter(({ type }) => type === 'configuration')
    : []
  const steps = planned.flatMap((step): Step[] => {
    if (step.action === 'create-volume') {
      const archive = volumes.find(({ of }) => keyOf(target, step.volume.name) === of)
      return archive ? [step, fill(target, archive, step.volume.name)] : [step]
    }
    if (step.action === 'create-container') {
      const archive = files.find(({ of }) => of === step.service)
      const { service, name } = step
      return archive ? [step, { action: 'put-files', service, name, archive, reason: why }] : [step]
    }
    return [step]
  })
  const goes = former.map(
    ({ name }): Step => ({ action: 'remove-volume', name, reason: 'replaced from the backup' }),
  )
  return [...steps, ...goes]
}

export function volumeKeys({ archives }: BackupHeader): string[] {
  return archives.filter(({ type }) => type === 'volume').map(({ of }) => of)
}

/** A backup is of one product. Throws `other-product`. */
export function refuseOtherBackup(header: BackupHeader, product: string, file: string): void {
  if (header.product === product) return
  throw badInput(
    'other-product',
    `${file} is a backup of ${header.product}, and this product directory is of ${product}; nothing was changed. Name that product's directory with -C.`,
  )
}

/** What a backup holds that this target has no place for, in words. */
export function listMisfits(header: BackupHeader, target: HostTarget): string[] {
  const keys = target.volumes.map(({ name }) => keyOf(target, name))
  const services = target.containers.map(({ service }) => service)
  const { release } = target
  return header.archives.flatMap(({ type, of }) => {
    if (type === 'volume')
      return keys.includes(of) ? [] : [`release ${release} has no volume ${of}: its content is left out`]
    if (!services.includes(of))
      return [`release ${release} has no service ${of}: its changed files are left out`]
    if (isOfSameImage(header, target)) return []
    return [
      `the image is another than the backup's (release ${header.release}): the changed files of ${of} are left out`,
    ]
  })
}

/** Files changed over one image are not put over another. */
function isOfSameImage({ images }: BackupHeader, { image }: HostTarget): boolean {
  return images.some((id) => image?.ids.includes(id))
}

/** No container that is there is taken for right: what a backup holds is not in its hash. */
function outdated(current: HostState): HostState {
  return { ...current, containers: current.containers.map((one) => ({ ...one, hash: 'before the restore' })) }
}

function explain(step: Step): Step {
  const isNew = step.action === 'create-volume' || step.reason === 'its settings changed'
  return isNew ? { ...step, reason: why } : step
}

function fill(target: HostTarget, archive: BackupArchive, volume: string): Step {
  return { action: 'fill-volume', appliance: target.name, volume, archive, reason: why }
}

/** The volumes in whose place those of the backup come. */
function formerVolumes(
  { volumes }: HostState,
  target: HostTarget,
  archives: readonly BackupArchive[],
): HostState['volumes'] {
  const kept = target.volumes.map(({ name }) => ({ name, key: keyOf(target, name) }))
  return volumes.filter(
    ({ name, key }) =>
      archives.some(({ of }) => of === key) &&
      kept.some((one) => one.key === key) &&
      !kept.some((one) => one.name === name),
  )
}

function keyOf(target: HostTarget, name: string): string | undefined {
  return target.volumes.find((one) => one.name === name)?.labels[ownLabels.component]
}
