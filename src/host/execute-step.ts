import type { Engine } from '../engine/engine.ts'
import { loadImage } from '../engine/load-image.ts'
import type { ImageSource } from '../image/image-source.ts'
import { commandName } from '../lib/command-name.ts'
import { errorCode, SlipwayError } from '../lib/errors.ts'
import type { Report } from '../lib/progress.ts'
import type { BackupArchive } from './backup/format.ts'
import type { Backup } from './backup/read-backup.ts'
import { fillVolume, putStream } from './backup/volume-archive.ts'
import { createVolume } from './create-volume.ts'
import { forgetReload, noteReload } from './due-reload.ts'
import { executeStateSteps } from './execute-state.ts'
import { keepFormerImage } from './former-image.ts'
import { readLicence, writeLicence } from './licence/licence-volume.ts'
import { removeVolume } from './remove-volume.ts'
import { restoreFile } from './restore-file.ts'
import { reloadService, setMemory } from './set-memory.ts'
import type { ContainerStep, Step } from './step.ts'
import type { Undo } from './undo.ts'
import { waitHealthy } from './wait-healthy.ts'

export interface Execution {
  readonly engine: Engine
  /** Where `load-image` takes the image from. */
  readonly image?: ImageSource
  /** Where `fill-volume` and `put-files` take their content from. */
  readonly backup?: Backup
  /** What `write-licence` writes. */
  readonly licence?: string
  readonly report: Report
  readonly signal?: AbortSignal
  /** Asked before each step; throws where another run has taken the appliance over. */
  readonly check?: () => Promise<void>
}

/** Does one step; returns how to take it back, where there is something to take back. */
export async function executeStep(step: Step, execution: Execution): Promise<Undo | undefined> {
  const { engine } = execution
  switch (step.action) {
    case 'load-image':
      return load(step.image.reference, execution)
    case 'tag-image': {
      const undo = step.previous === undefined ? undefined : await keepFormerImage(engine, step.reference)
      await engine.images.tag(step.id, step.reference)
      return undo
    }
    case 'create-network': {
      const id = await engine.networks.create(step.network)
      return () => engine.networks.remove(id)
    }
    case 'create-volume':
      return createVolume(engine, step.volume)
    case 'store-setting':
    case 'record-release':
      return executeStateSteps(engine, [step])
    case 'remove-helper':
      await engine.containers.remove(step.name).catch((error: unknown) => {
        // A reader's own goes by itself.
        if (errorCode(error) !== 'gone') throw error
      })
      return undefined
    case 'fill-volume':
      await fillVolume(engine, step.appliance, step.volume, () => content(step.archive, execution))
      return undefined
    case 'write-licence': {
      const { appliance, volume, since } = step
      const former = (await readLicence(engine, appliance, volume)) ?? { text: '', since: '' }
      await writeLicence(engine, appliance, volume, { text: execution.licence ?? '', since })
      return () => writeLicence(engine, appliance, volume, former)
    }
    case 'remove-network':
      await engine.networks.remove(step.id)
      return undefined
    case 'remove-volume':
      await removeVolume(engine, step.name)
      return undefined
    default:
      return executeContainerStep(step, execution)
  }
}

async function executeContainerStep(step: ContainerStep, execution: Execution): Promise<Undo | undefined> {
  const { engine, signal } = execution
  const { containers } = engine
  const { name } = step
  switch (step.action) {
    case 'create-container': {
      const id = await containers.create(name, step.spec)
      const document = await containers.inspect(id)
      if (document && !step.imageIds.includes(document.Image)) {
        await containers.remove(id)
        throw new SlipwayError(
          'wrong-image',
          `${step.spec.Image} became another image (${document.Image}) in the meantime; run the same command again.`,
        )
      }
      return () => containers.remove(id)
    }
    case 'put-files':
      await putStream(engine, name, '/', content(step.archive, execution))
      return undefined
    case 'stop-container':
      await containers.stop(name, step.atOnce ? 0 : undefined)
      return () => containers.start(name)
    case 'start-container':
      await containers.start(name)
      return () => containers.stop(name)
    case 'wait-healthy':
      await waitHealthy(engine, step, signal)
      return undefined
    case 'rename-container':
      await containers.rename(name, step.to)
      return () => containers.rename(step.to, name)
    case 'remove-container':
      await containers.remove(name)
      return undefined
    case 'set-memory':
      return noteReload(engine, step, () => setMemory(engine, step))
    case 'restore-file':
      return restoreFile(engine, step)
    case 'reload-service':
      await reloadService(engine, step)
      await forgetReload(engine, step)
      return undefined
  }
}

function content(archive: BackupArchive, { backup }: Execution): AsyncIterable<Uint8Array> {
  if (backup) return backup.open(archive)
  throw new SlipwayError(
    'no-backup',
    `${archive.of} is to be filled from a backup, and none was given; \`${commandName()} restore FILE\` names it.`,
  )
}

async function load(reference: string, { engine, image, report, signal }: Execution): Promise<Undo> {
  if (!image) {
    throw new SlipwayError(
      'no-image',
      `The host does not have ${reference}, and no image was given; \`${commandName()} build\` makes it, \`${commandName()} install LAYOUT\` installs it.`,
    )
  }
  const undo = await keepFormerImage(engine, reference)
  try {
    await loadImage(engine, image, [reference], report, signal)
  } catch (error) {
    if (undo.forget) await undo().catch(() => {})
    throw error
  }
  return undo
}
