import { Readable } from 'node:stream'
import type { Engine } from '../../engine/engine.ts'
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
  const helper = await mount(engine, appliance, `${volume}:${helperFolder}:ro`)
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

/** Unpacks such a tar into a volume. */
export async function fillVolume(
  engine: Engine,
  appliance: string,
  volume: string,
  tar: AsyncIterable<Uint8Array>,
): Promise<void> {
  const helper = await mount(engine, appliance, `${volume}:${helperFolder}:rw`)
  try {
    await putStream(engine, helper, helperFolder, tar)
  } finally {
    await engine.containers.remove(helper)
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
