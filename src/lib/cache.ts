import os from 'node:os'
import path from 'node:path'

/** The cache's folders. Deleting any of them only costs time. */
export interface Cache {
  readonly root: string
  /** `.deb` files, named by SHA-256. */
  readonly debs: string
  /** Archive indexes, named by SHA-256. */
  readonly archive: string
  /** Compressed layers, named by the hash of what they are made from. */
  readonly layers: string
}

/** `SLIPWAY_CACHE`, else the platform's own cache folder (XDG Base Directory, Windows Known Folders, macOS). */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env, platform = process.platform): Cache {
  const root = env.SLIPWAY_CACHE || path.join(platformCache(env, platform), 'slipway')
  return {
    root,
    debs: path.join(root, 'debs'),
    archive: path.join(root, 'archive'),
    layers: path.join(root, 'layers'),
  }
}

function platformCache(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'win32') return env.LOCALAPPDATA || path.join(os.homedir(), 'AppData', 'Local')
  if (platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches')
  return env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache')
}
