import type { Engine } from '../../engine/engine.ts'
import { writeTar } from '../../image/tar-writer.ts'
import { helperFolder } from '../helper-image.ts'
import { ownLabels, roles } from '../labels.ts'
import { readSmallFiles } from '../small-file.ts'
import { createHelper } from '../state-volume.ts'

/** What the volume of a licence holds; services read `licence.json`. */
export interface KeptLicence {
  /** The licence file as it was given; empty where it was taken back. */
  readonly text: string
  /** When this licence first came to the host: ISO 8601. */
  readonly since: string
}

const licenceFile = 'licence.json'
const sinceFile = 'since'

/** What a volume holds; undefined where there is no volume or no licence in it. Leaves nothing behind. */
export async function readLicence(
  engine: Engine,
  appliance: string,
  volume: string,
): Promise<KeptLicence | undefined> {
  if (!(await engine.volumes.inspect(volume))) return undefined
  const files = await withVolume(engine, appliance, volume, 'ro', async (container) =>
    readSmallFiles(await engine.containers.getArchive(container, helperFolder)),
  )
  return keptLicence(files)
}

/** Of a volume's files; a licence whose day a full disk cut off is none: it is given, and its day noted, once more. Pure. */
export function keptLicence(files: ReadonlyMap<string, string>): KeptLicence | undefined {
  const text = files.get(licenceFile) ?? ''
  const since = files.get(sinceFile) ?? new Date(0).toISOString()
  return text === '' || Number.isNaN(Date.parse(since)) ? undefined : { text, since }
}

/** Puts a licence in place of what the volume holds. Every user of the container may read it: services have their own. */
export async function writeLicence(
  engine: Engine,
  appliance: string,
  volume: string,
  { text, since }: KeptLicence,
): Promise<void> {
  const mtime = Math.floor(Date.now() / 1000)
  const file = (path: string, content: string) =>
    ({ path, type: 'file', mode: 0o444, uid: 0, gid: 0, mtime, content: Buffer.from(content) }) as const
  const tar = Buffer.concat(writeTar([file(licenceFile, text), file(sinceFile, since)]))
  await withVolume(engine, appliance, volume, 'rw', (container) =>
    engine.containers.putArchive(container, helperFolder, tar),
  )
}

/** A container that is never started; `nocopy`, so that the volume's owner and mode come from the service's image. */
async function withVolume<T>(
  engine: Engine,
  appliance: string,
  volume: string,
  access: 'ro' | 'rw',
  work: (container: string) => Promise<T>,
): Promise<T> {
  const id = await createHelper(engine, `${appliance}-licence.${process.pid}`, {
    Labels: { [ownLabels.appliance]: appliance, [ownLabels.role]: roles.reader },
    HostConfig: { NetworkMode: 'none', Binds: [`${volume}:${helperFolder}:${access},nocopy`] },
  })
  try {
    return await work(id)
  } finally {
    await engine.containers.remove(id)
  }
}
