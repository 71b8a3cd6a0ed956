import { mkdir, statfs } from 'node:fs/promises'
import { formatBytes } from './bytes.ts'
import { cannotWrite } from './download.ts'
import { SlipwayError } from './errors.ts'

/**
 * A full disk is better found before the first byte than after the last but one: throws `disk-full` where a folder of
 * the cache has no room for so many bytes, `cannot-write`. `whose` begins the sentence: "The packages need". Makes the folder.
 */
export async function requireRoom(folder: string, bytes: number, whose: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw cannotWrite(folder, error)
  })
  const space = await statfs(folder).catch(() => undefined)
  // Some file systems tell nothing.
  if (!space || space.blocks === 0) return
  const free = space.bavail * space.bsize
  if (free >= bytes) return
  throw new SlipwayError(
    'disk-full',
    `${whose} ${formatBytes(bytes)} and the disk of ${folder} has ${formatBytes(free)} left; free some space, or set SLIPWAY_CACHE to a folder that has it, and run the same command again.`,
  )
}
