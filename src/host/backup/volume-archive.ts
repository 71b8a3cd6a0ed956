import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import type { Engine } from '../../engine/engine.ts'
import { writeTar } from '../../image/tar-writer.ts'
import { SlipwayError } from '../../lib/errors.ts'
import { helperFolder } from '../helper-image.ts'
import { ownLabels, roles } from '../labels.ts'
import { createHelper } from '../state-volume.ts'

/** The tar of a volume's content, with paths relative to it, from a container that is never started. */
export async function* readVolume(
  engine: Engine,
  appliance: string,
  volume: string,
): AsyncGenerator<Uint8Array> {
  // Or an Engine gives the root of a volume that is empty the helper folder's owner and mode, though it is in use.
  const helper = await mount(engine, appliance, `${volume}:${helperFolder}:ro,nocopy`)
  try {
    const tar = await engine.containers.getArchive(helper, `${helperFolder}/.`)
    if (!tar) {
      throw new SlipwayError(
        'volume-gone',
        `The volume ${volume} cannot be read: its helper container is gone; run the same command again.`,
      )
    }
    yield* tar as AsyncIterable<Uint8Array>
  } finally {
    await engine.containers.remove(helper)
  }
}

/**
 * Unpacks such a tar into a volume; `open` is called twice. An Engine leaves the folder itself as it was when it
 * unpacks into it, so owner and mode of the volume's root are set by a tar of their own.
 */
export async function fillVolume(
  engine: Engine,
  appliance: string,
  volume: string,
  open: () => AsyncIterable<Uint8Array>,
): Promise<void> {
  const helper = await mount(engine, appliance, `${volume}:${helperFolder}:rw`)
  try {
    await putStream(engine, helper, helperFolder, open())
    const root = await readRoot(open())
    if (root) await engine.containers.putArchive(helper, '/', root)
  } finally {
    await engine.containers.remove(helper)
  }
}

/** The tar of a volume's root alone, as the first entry has it. */
async function readRoot(tar: AsyncIterable<Uint8Array>): Promise<Buffer | undefined> {
  const entries = extract()
  const source = Readable.from(tar, { objectMode: false })
  source.on('error', (error) => entries.destroy(error))
  source.pipe(entries as unknown as NodeJS.WritableStream)
  try {
    for await (const { header } of entries) {
      const { mode = 0o755, uid = 0, gid = 0, mtime = new Date(0), type, name } = header
      if (type !== 'directory' || !/^(\.\/?)?$/.test(name)) return undefined
      const path = helperFolder.slice(1)
      const seconds = Math.floor(mtime.getTime() / 1000)
      return Buffer.concat(writeTar([{ path, type, mode, uid, gid, mtime: seconds }]))
    }
    return undefined
  } finally {
    source.destroy()
    entries.destroy()
  }
}

/** As `putArchive`, of a source that may fail: its own error is what is thrown then. */
export async function putStream(
  engine: Engine,
  container: string,
  folder: string,
  tar: AsyncIterable<Uint8Array>,
): Promise<void> {
  const stream = Readable.from(tar, { objectMode: false })
  const broken = new Promise<never>((_, reject) => stream.once('error', reject))
  broken.catch(() => {})
  try {
    await Promise.race([engine.containers.putArchive(container, folder, stream), broken])
  } finally {
    stream.destroy()
  }
}

/** One helper at a time, under one name: what a killed run left is taken away by the next. */
async function mount(engine: Engine, appliance: string, bind: string): Promise<string> {
  const name = `${appliance}-volume-helper`
  const left = await engine.containers.inspect(name)
  if (left?.Config.Labels[ownLabels.appliance] === appliance) await engine.containers.remove(left.Id)
  return createHelper(engine, name, {
    Labels: { [ownLabels.appliance]: appliance, [ownLabels.role]: roles.reader },
    HostConfig: { NetworkMode: 'none', Binds: [bind] },
  })
}
