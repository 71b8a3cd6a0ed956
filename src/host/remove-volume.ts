import type { Engine } from '../engine/engine.ts'
import { errorCode } from '../lib/errors.ts'
import { ownLabels, roles } from './labels.ts'

/** Removes a volume. What a killed run left that reads it, and would hold it for ever, goes first. */
export async function removeVolume(engine: Engine, name: string): Promise<void> {
  try {
    await engine.volumes.remove(name)
  } catch (error) {
    if (errorCode(error) !== 'conflict' || !(await removeReaders(engine, name))) throw error
    await engine.volumes.remove(name)
  }
}

/** Readers are never started and hold nothing of their own. False where there are none. */
async function removeReaders({ containers }: Engine, volume: string): Promise<boolean> {
  const readers = await containers.list({ [ownLabels.role]: roles.reader })
  const documents = await Promise.all(readers.map(({ id }) => containers.inspect(id)))
  const holding = documents.filter((one) => one?.Mounts.some(({ Name }) => Name === volume))
  for (const { Id } of holding.filter((one) => one !== undefined)) {
    await containers.remove(Id).catch((error: unknown) => {
      // One that was still at work goes by itself.
      if (errorCode(error) !== 'gone') throw error
    })
  }
  return holding.length > 0
}
