import type { Readable } from 'node:stream'
import type { ContainerSpec } from '../engine/documents.ts'
import type { Engine, VolumeSpec } from '../engine/engine.ts'
import { errorCode } from '../lib/errors.ts'
import { ensureHelperImage, helperFolder } from './helper-image.ts'
import { ownLabels, roles } from './labels.ts'
import { readSmallFiles, tarOfFile } from './small-file.ts'
import { emptyState, formatCopy, newestCopy, type StateDocument } from './state-document.ts'

/** The volume that an appliance's own state is in. */
export function stateVolume(name: string): VolumeSpec {
  return { name: `${name}_state`, driver: 'local', options: {}, labels: stateLabels(name) }
}

/** The container through which the volume is read and written; it is never started. */
export function stateContainer(name: string): string {
  return `${name}-state`
}

/**
 * What is remembered of the appliance; an empty document where nothing is. One question to the Engine where the
 * appliance is installed. Throws `newer-state`, `damaged-state`.
 */
export async function readState(engine: Engine, name: string): Promise<StateDocument> {
  const texts = await readTexts(engine, name)
  return newestCopy(texts, name)?.document ?? emptyState
}

/**
 * Remembers a document instead of the former one, making volume and container where they are missing. What is there
 * stays whole until the new one is: two copies are written in turn. Call it under the mutex.
 */
export async function writeState(engine: Engine, name: string, document: StateDocument): Promise<void> {
  await engine.volumes.create(stateVolume(name))
  const container = await ensureContainer(engine, name)
  const generation = (await readGeneration(engine, name)) + 1
  const tar = tarOfFile(`state-${generation % 2}.json`, formatCopy({ generation, document }))
  await engine.containers.putArchive(container, helperFolder, tar)
}

/** A damaged document is overwritten too: its number no longer matters. */
async function readGeneration(engine: Engine, name: string): Promise<number> {
  try {
    return newestCopy(await readTexts(engine, name), name)?.generation ?? 0
  } catch (error) {
    if (errorCode(error) === 'damaged-state') return 0
    throw error
  }
}

async function readTexts(engine: Engine, name: string): Promise<string[]> {
  const { containers, volumes } = engine
  const container = stateContainer(name)
  if ((await containers.inspect(container))?.Config.Labels[ownLabels.role] === roles.state) {
    return readCopies(await containers.getArchive(container, helperFolder))
  }
  const volume = await volumes.inspect(stateVolume(name).name)
  if (volume?.Labels?.[ownLabels.role] !== roles.state) return []
  // Nothing of the name may be left by a verb that only reads: this container goes again.
  const id = await createContainer(engine, name, `${container}.${process.pid}`)
  try {
    return await readCopies(await containers.getArchive(id, helperFolder))
  } finally {
    await containers.remove(id)
  }
}

async function readCopies(archive: Readable | undefined): Promise<string[]> {
  const files = await readSmallFiles(archive)
  return ['state-0.json', 'state-1.json'].map((file) => files.get(file)).filter((text) => text !== undefined)
}

async function ensureContainer(engine: Engine, name: string): Promise<string> {
  const container = stateContainer(name)
  const there = await engine.containers.inspect(container)
  if (there?.Config.Labels[ownLabels.role] === roles.state) {
    const mounted = there.Mounts.some((mount) => mount.Name === stateVolume(name).name)
    if (mounted) return there.Id
    await engine.containers.remove(there.Id)
  }
  return createContainer(engine, name, container)
}

async function createContainer(engine: Engine, name: string, container: string): Promise<string> {
  const { name: volume } = stateVolume(name)
  return createHelper(engine, container, {
    Labels: stateLabels(name),
    HostConfig: { NetworkMode: 'none', Binds: [`${volume}:${helperFolder}:rw`] },
  })
}

/** A container that is never started, of the helper image; its ID. Throws `name-taken`. */
export async function createHelper(
  engine: Engine,
  container: string,
  spec: Pick<ContainerSpec, 'Labels' | 'HostConfig'>,
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const Image = await ensureHelperImage(engine)
    try {
      return await engine.containers.create(container, { Image, Cmd: ['/never-started'], ...spec })
    } catch (error) {
      // Another run dropped the image between our two questions.
      if (errorCode(error) !== 'no-such-image' || attempt === 5) throw error
    }
  }
}

function stateLabels(name: string): Record<string, string> {
  return { [ownLabels.appliance]: name, [ownLabels.component]: 'state', [ownLabels.role]: roles.state }
}
