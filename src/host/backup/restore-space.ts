import { statfs } from 'node:fs/promises'
import type { Engine } from '../../engine/engine.ts'
import { formatBytes } from '../../lib/bytes.ts'
import { exitCodes, SlipwayError } from '../../lib/errors.ts'
import type { Backup } from './read-backup.ts'

/**
 * Throws `no-space` where the Engine's disk has less room than a backup's content takes. Of an Engine elsewhere, or in
 * a virtual machine, nobody here can tell: there a full disk is met while the new volume is filled, before anything
 * that serves is touched.
 */
export async function refuseSmallEngine(engine: Engine, { file, manifest }: Backup): Promise<void> {
  if (engine.endpoint.transport !== 'unix') return
  const { rootDirectory } = await engine.info()
  const disk = await statfs(rootDirectory).catch(() => undefined)
  if (!disk) return
  const free = disk.bavail * disk.bsize
  const need = manifest.members.reduce((sum, { size }) => sum + size, 0)
  if (free >= need) return
  throw new SlipwayError(
    'no-space',
    `${file} holds ${formatBytes(need)}, and the Docker host's disk has ${formatBytes(free)} left (${rootDirectory}); nothing was changed. \`docker system df\` shows what fills it: make room, then run the same command again.`,
    { exitCode: exitCodes.preflightFailed },
  )
}
