import { randomUUID } from 'node:crypto'
import type { Engine } from '../engine/engine.ts'
import { errorCode } from '../lib/errors.ts'
import { ownLabels, roles } from './labels.ts'

/**
 * Lets `read` look at the files of an image: through a container of it that is created and never started, removed
 * again whatever happens.
 */
export async function withImage<T>(
  engine: Engine,
  appliance: string,
  image: string,
  read: (container: string) => Promise<T>,
): Promise<T> {
  const id = await engine.containers.create(`${appliance}-reader-${randomUUID().slice(0, 8)}`, {
    Image: image,
    Cmd: ['true'],
    Labels: { [ownLabels.appliance]: appliance, [ownLabels.role]: roles.reader },
    HostConfig: { NetworkMode: 'none' },
  })
  try {
    return await read(id)
  } finally {
    await engine.containers.remove(id).catch((error: unknown) => {
      // An uninstall was quicker.
      if (errorCode(error) !== 'gone') throw error
    })
  }
}
