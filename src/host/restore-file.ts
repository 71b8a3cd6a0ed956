import path from 'node:path'
import type { Engine } from '../engine/engine.ts'
import { writeTar } from '../image/tar-writer.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, SlipwayError } from '../lib/errors.ts'
import { undoFolder } from './drift.ts'
import { readFacts, sameFacts } from './file-facts.ts'
import { withImage } from './image-reader.ts'
import type { FileSight, FileWish } from './plan-restore-file.ts'
import type { HostContainer } from './state.ts'
import type { ContainerStep } from './step.ts'

type RestoreFile = Extract<ContainerStep, { action: 'restore-file' }>

/** Throws `bad-path` for what is no absolute path of one file. */
export function checkPath(file: string): void {
  if (path.posix.isAbsolute(file) && path.posix.normalize(file) === file && !file.endsWith('/')) return
  throw badInput(
    'bad-path',
    `"${file}" is no path of a file in a container; write one such as /etc/appliance/squid.conf, as \`${commandName()} drift\` shows it.`,
  )
}

/**
 * Holds a file in each of the containers against where it is to come from. Throws `on-volume`, `not-in-image`,
 * `is-folder`, `nothing-kept`.
 */
export async function lookAtFile(
  engine: Engine,
  containers: readonly HostContainer[],
  { appliance, path: file, from }: FileWish,
): Promise<FileSight[]> {
  const sights: (FileSight & { readonly found: boolean })[] = []
  for (const container of containers) {
    await refuseMounts(engine, container, file)
    const present = await readFacts(engine, container.id, file)
    const wanted =
      from === 'kept'
        ? await readFacts(engine, container.id, keptPath(file))
        : await withImage(engine, appliance, container.imageId, (reader) => readFacts(engine, reader, file))
    if (wanted?.type === 'directory') {
      throw badInput(
        'is-folder',
        `${file} is a folder; name one file, as \`${commandName()} drift\` shows it.`,
      )
    }
    sights.push({
      container,
      found: wanted !== undefined,
      differs: wanted !== undefined && !sameFacts(wanted, present),
    })
  }
  if (sights.some(({ found }) => found)) return sights
  throw from === 'kept'
    ? badInput('nothing-kept', `No copy of ${file} is kept; \`${commandName()} drift\` shows what changed.`)
    : badInput(
        'not-in-image',
        `${file} is not in the image, so that nothing can put it back; \`${commandName()} reset clean\` removes what was added.`,
      )
}

/**
 * Puts one file into a container as its image has it, or as it was kept: content, mode and owner. What was there is
 * kept for undo beside it, under /var/lib/slipway/undo. Returns how to take that back, where there was a file.
 */
export async function restoreFile(
  engine: Engine,
  { appliance, name, path: file, from, imageId, lasting }: RestoreFile,
): Promise<(() => Promise<void>) | undefined> {
  const before = await readTar(engine, name, file)
  const wanted =
    from === 'kept'
      ? await readTar(engine, name, keptPath(file))
      : await withImage(engine, appliance, imageId, (reader) => readTar(engine, reader, file))
  if (!wanted) {
    throw new SlipwayError(
      'file-gone',
      `${file} is no longer where it was to come from; \`${commandName()} drift\` shows what is there.`,
    )
  }
  const folder = path.posix.dirname(file)
  if (before) {
    await engine.containers.putArchive(name, '/', keptFolders(file))
    await engine.containers.putArchive(name, path.posix.dirname(keptPath(file)), before)
  }
  await engine.containers.putArchive(name, folder, wanted)
  if (!before || lasting) return undefined
  return async () => {
    await engine.containers.putArchive(name, folder, before)
    if (from === 'kept') await engine.containers.putArchive(name, path.posix.dirname(keptPath(file)), wanted)
  }
}

function keptPath(file: string): string {
  return `${undoFolder}${file}`
}

/** Only root may look at what is kept. */
function keptFolders(file: string): Buffer {
  const mtime = Math.floor(Date.now() / 1000)
  const folders: string[] = []
  for (
    let folder = path.posix.dirname(keptPath(file)).slice(1);
    folder !== 'var/lib';
    folder = path.posix.dirname(folder)
  ) {
    folders.push(folder)
  }
  const entry = { type: 'directory', mode: 0o700, uid: 0, gid: 0, mtime } as const
  return Buffer.concat(writeTar(folders.map((folder) => ({ ...entry, path: folder }))))
}

async function readTar(engine: Engine, container: string, file: string): Promise<Buffer | undefined> {
  const tar = await engine.containers.getArchive(container, file)
  return tar && Buffer.concat(await tar.toArray())
}

async function refuseMounts(engine: Engine, container: HostContainer, file: string): Promise<void> {
  const document = await engine.containers.inspect(container.id)
  const mounts = [
    ...(document?.Mounts ?? []).map(({ Destination }) => Destination),
    ...Object.keys(document?.HostConfig.Tmpfs ?? {}),
  ]
  const mount = mounts.find((one) => file === one || file.startsWith(`${one}/`))
  if (mount === undefined) return
  throw badInput(
    'on-volume',
    `${file} is below ${mount}, which is mounted into ${container.name} and not of its image; \`${commandName()} reset cache\` empties caches, \`${commandName()} restore\` brings a backup back.`,
  )
}
