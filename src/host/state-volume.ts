import type { Readable } from 'node:stream'
import type { ContainerSpec } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { errorCode, exitCodes, SlipwayError } from '../lib/errors.ts'
import { ensureHelperImage, helperFolder } from './helper-image.ts'
import { ownLabels, roles } from './labels.ts'
import { stateContainer, stateLabels, stateVolume } from './own-things.ts'
import { readSmallFiles, tarOfFile } from './small-file.ts'
import { emptyState, formatCopy, newestCopy, type StateCopy, type StateDocument } from './state-document.ts'

/**
 * What is remembered of the appliance; an empty document where nothing is. One question to the Engine where the
 * appliance is installed. Throws `newer-state`, `damaged-state`.
 */
export async function readState(engine: Engine, name: string): Promise<StateDocument> {
  const texts = await readTexts(engine, name)
  return newestCopy(texts, name)?.document ?? emptyState
}

/** As `readState`; undefined where what is there is damaged, and is to be replaced. Throws `newer-state`. */
export async function readWholeState(engine: Engine, name: string): Promise<StateDocument | undefined> {
  try {
    return await readState(engine, name)
  } catch (error) {
    if (errorCode(error) === 'damaged-state') return undefined
    throw error
  }
}

/**
 * Remembers a document instead of the former one, whatever state that is in, making volume and container where they
 * are missing. Call it under the mutex.
 */
export async function writeState(engine: Engine, name: string, document: StateDocument): Promise<void> {
  const container = await ensureContainer(engine, name)
  const copy = await readNewest(engine, container, name).catch((error: unknown) => {
    if (errorCode(error) === 'damaged-state') return undefined
    throw error
  })
  await put(engine, container, (copy?.generation ?? 0) + 1, document)
}

/**
 * As `writeState`, of a document made from the former one, which it returns. `isEmpty`: this run has just made the
 * volume, so that there is nothing to be read, which takes the Engine as long as writing. Throws as `readState`.
 */
export async function updateState(
  engine: Engine,
  name: string,
  change: (document: StateDocument) => StateDocument,
  { isEmpty = false }: { readonly isEmpty?: boolean } = {},
): Promise<StateDocument> {
  const container = await ensureContainer(engine, name)
  const copy = isEmpty ? undefined : await readNewest(engine, container, name)
  const before = copy?.document ?? emptyState
  await put(engine, container, (copy?.generation ?? 0) + 1, change(before))
  return before
}

/** What is there stays whole until the new copy is: two are written in turn. */
async function put(
  engine: Engine,
  container: string,
  generation: number,
  document: StateDocument,
): Promise<void> {
  const tar = tarOfFile(`state-${generation % 2}.json`, formatCopy({ generation, document }))
  await engine.containers.putArchive(container, helperFolder, tar)
}

async function readNewest(engine: Engine, container: string, name: string): Promise<StateCopy | undefined> {
  return newestCopy(await readCopies(await engine.containers.getArchive(container, helperFolder)), name)
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
  await ensureVolume(engine, name)
  return createContainer(engine, name, container)
}

/** An Engine hands out a volume that is there already as if it had made it. */
async function ensureVolume(engine: Engine, name: string): Promise<void> {
  const volume = stateVolume(name)
  const there = await engine.volumes.inspect(volume.name)
  if (!there) return engine.volumes.create(volume)
  if (there.Labels?.[ownLabels.role] === roles.state && there.Labels[ownLabels.appliance] === name) return
  throw new SlipwayError(
    'name-taken',
    `The volume ${volume.name} exists on this host and is not of the appliance ${name}; remove it, or choose another --name.`,
    { exitCode: exitCodes.preflightFailed },
  )
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
