import { mkdir, rmdir } from 'node:fs/promises'
import path from 'node:path'

/**
 * Makes a folder, with those that it lies in, where it is not there. Returns what takes away again what was made, as far
 * as nothing lies in it. Throws what `mkdir` throws.
 */
export async function makeFolder(folder: string): Promise<() => Promise<void>> {
  const top = await mkdir(folder, { recursive: true })
  return async () => {
    if (top === undefined) return
    try {
      for (
        let made = path.resolve(folder);
        made.length >= path.resolve(top).length;
        made = path.dirname(made)
      )
        await rmdir(made)
    } catch {
      // Somebody else's work lies there by now.
    }
  }
}
