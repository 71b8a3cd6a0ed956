import { statfs } from 'node:fs/promises'
import path from 'node:path'
import type { Engine } from '../../engine/engine.ts'
import { formatBytes } from '../../lib/bytes.ts'
import { commandName } from '../../lib/command-name.ts'
import { badInput, exitCodes, SlipwayError } from '../../lib/errors.ts'
import type { Report } from '../../lib/progress.ts'
import { inspectHost } from '../inspect.ts'
import { ownLabels } from '../labels.ts'
import { ownContainers, readDrift } from '../read-drift.ts'
import { readState } from '../state-volume.ts'
import { changedPaths, readPaths } from './changed-files.ts'
import { type BackupArchive, type BackupHeader, backupFormat } from './format.ts'
import { volumesToKeep } from './plan-backup.ts'
import { readVolume } from './volume-archive.ts'
import { type OpenArchive, type WrittenBackup, writeBackup } from './write-backup.ts'

/** What a backup will hold, known before anything is written. */
export interface PreparedBackup {
  readonly header: BackupHeader
  /** Bytes that the Engine measured for its volumes, uncompressed. */
  readonly size: number
  readonly open: OpenArchive
}

/** Looks at an appliance and says what its backup will hold. Changes nothing. Throws where there is none. */
export async function prepareBackup(
  engine: Engine,
  name: string,
  withCache: boolean,
): Promise<PreparedBackup> {
  const [current, documents, state] = await Promise.all([
    inspectHost(engine, name),
    ownContainers(engine, name),
    readState(engine, name),
  ])
  if (documents.length === 0) {
    throw badInput(
      'not-installed',
      `${name} is not installed on this host, so there is nothing to back up; \`${commandName()} status\` shows what is.`,
    )
  }
  const volumes = volumesToKeep(current, withCache)
  const changed = (await readDrift(engine, name))
    .map((drift) => ({ ...drift, changed: changedPaths(drift) }))
    .filter((drift) => drift.changed.length > 0)
  const labels = documents[0]!.Config.Labels
  const header: BackupHeader = {
    kind: 'slipway-backup',
    format: backupFormat,
    name,
    product: labels[ownLabels.product] ?? '',
    release: labels[ownLabels.release] ?? '',
    images: [...new Set(documents.map(({ Image }) => Image))].sort(),
    profile: state.history.at(-1)?.profile ?? labels[ownLabels.profile] ?? '',
    settings: state.settings,
    created: new Date().toISOString(),
    archives: [
      ...volumes.map(({ archive }) => archive),
      ...changed.map(
        (drift): BackupArchive => ({ type: 'configuration', of: drift.service, paths: drift.changed }),
      ),
    ],
  }
  const sizes = volumes.length > 0 ? (await engine.diskUsage()).volumes : []
  return {
    header,
    size: volumes.reduce((sum, { volume }) => sum + (sizes.find((one) => one.name === volume)?.size ?? 0), 0),
    open: async ({ type, of }) => {
      if (type === 'volume')
        return readVolume(engine, name, volumes.find(({ archive }) => archive.of === of)!.volume)
      const drift = changed.find(({ service }) => service === of)!
      return readPaths(engine, drift.container, drift.changed)
    },
  }
}

/** Writes a prepared backup. Throws `no-space` before it begins where even its uncompressed content might not fit. */
export async function takeBackup(
  prepared: PreparedBackup,
  file: string,
  report: Report,
  signal?: AbortSignal,
): Promise<WrittenBackup> {
  await refuseFullDisk(file, prepared.size)
  return writeBackup(file, prepared.header, prepared.open, report, signal)
}

async function refuseFullDisk(file: string, size: number): Promise<void> {
  const folder = path.dirname(file)
  const { bavail, bsize } = await statfs(folder).catch((error: unknown) => {
    throw badInput(
      'no-such-folder',
      `There is no folder ${folder} to write ${path.basename(file)} to; make it first.`,
      error,
    )
  })
  const free = bavail * bsize
  // Tar adds half a kilobyte and more to every file.
  const need = Math.ceil(size * 1.05) + 1024 * 1024
  if (free >= need) return
  throw new SlipwayError(
    'no-space',
    `The backup may take ${formatBytes(need)}, and the disk of ${folder} has ${formatBytes(free)} left; nothing was written. Name a file on another disk, or leave out --cache.`,
    { exitCode: exitCodes.preflightFailed },
  )
}
