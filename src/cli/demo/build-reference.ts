import { LockedFilesGone } from '../../debian/deb-download.ts'
import { run as build } from '../build.ts'
import type { Context } from '../context.ts'
import { run as lock } from '../lock.ts'

/** Archives drop old files daily; twice would already be strange. */
const tries = 3

/**
 * Builds the image of one platform into the product's build folder. Locked files that the archive no longer has are
 * locked anew, only those, and it is said.
 */
export async function buildReference(context: Context, directory: string, platform: string): Promise<void> {
  for (let left = tries; ; left--) {
    try {
      await build(context, { directory, platform: [platform] })
      return
    } catch (error) {
      if (!(error instanceof LockedFilesGone) || left === 1) throw error
      context.print(
        `The archive no longer has what the lock names of ${error.packages.join(', ')}; locking only that anew:`,
      )
      await lock(context, { directory, update: error.packages, archSkew: true })
    }
  }
}
