import { rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Cache } from '../lib/cache.ts'
import { commandName } from '../lib/command-name.ts'
import { SlipwayError } from '../lib/errors.ts'
import { type DebDownloadOptions, downloadDebs } from './deb-download.ts'
import { type DebFile, debFileName } from './deb-file.ts'
import type { DebianSource } from './source.ts'

export interface DebPlaces {
  readonly cache: Cache
  /** A folder that `slipway vendor` filled: looked in first. */
  readonly vendor?: string
}

export interface DebStoreOptions extends DebPlaces, DebDownloadOptions {}

/** Where a .deb is cached. */
export function cachedDeb(deb: DebFile, cache: Cache): string {
  return path.join(cache.debs, `${deb.sha256}.deb`)
}

/**
 * Brings every .deb to this machine: from the vendor folder, the cache, the mirror, or the snapshot archives, in this
 * order. Returns hex SHA-256 → absolute file. Opens no connection when none is missing. What is downloaded is hashed;
 * what is there already is known by its size only: whoever reads it hashes it, and calls `discardDeb` on a mismatch.
 * Throws `locked-file-gone` where neither mirror nor snapshot has a file any more, `bad-vendored-file`, and what
 * `findMirror` and `downloadFile` throw.
 */
export async function fetchDebs(
  debs: readonly DebFile[],
  source: DebianSource,
  options: DebStoreOptions,
): Promise<Map<string, string>> {
  const located = await locateDebs(debs, options)
  const missing = [...new Map(debs.map((deb) => [deb.sha256, deb])).values()].filter(
    (deb) => !located.has(deb.sha256),
  )
  if (missing.length > 0) {
    await downloadDebs(missing, source, (deb) => cachedDeb(deb, options.cache), options)
    for (const deb of missing) located.set(deb.sha256, cachedDeb(deb, options.cache))
  }
  return located
}

/**
 * Which of the .debs are on this machine, by name and size: hex SHA-256 → absolute file. A vendored file of another
 * size is an error (`bad-vendored-file`); a cached one counts as missing.
 */
export async function locateDebs(debs: readonly DebFile[], places: DebPlaces): Promise<Map<string, string>> {
  const located = await Promise.all(
    debs.map(async (deb) => {
      const vendored = vendoredDeb(deb, places)
      const size = vendored && (await fileSize(vendored))
      if (vendored && size === deb.size) return [deb.sha256, vendored] as const
      if (vendored && size !== undefined) {
        throw badVendored(vendored, `it has ${size} bytes where the lock says ${deb.size}`)
      }
      const cached = cachedDeb(deb, places.cache)
      return (await fileSize(cached)) === deb.size ? ([deb.sha256, cached] as const) : undefined
    }),
  )
  return new Map(located.filter((entry) => entry !== undefined))
}

/**
 * Takes a .deb whose content turned out to be wrong out of the cache, so that `fetchDebs` brings it again. A wrong one
 * in the vendor folder is the user's: `bad-vendored-file`.
 */
export async function discardDeb(deb: DebFile, places: DebPlaces): Promise<void> {
  const vendored = vendoredDeb(deb, places)
  if (vendored && (await fileSize(vendored)) !== undefined) {
    throw badVendored(vendored, 'it has another SHA-256 than the lock says')
  }
  await rm(cachedDeb(deb, places.cache), { force: true })
}

function vendoredDeb(deb: DebFile, places: DebPlaces): string | undefined {
  return places.vendor === undefined ? undefined : path.join(path.resolve(places.vendor), debFileName(deb))
}

function badVendored(file: string, why: string): SlipwayError {
  return new SlipwayError(
    'bad-vendored-file',
    `${file} is not the package that the lock names: ${why}; run \`${commandName()} vendor\` to put it right, or delete it.`,
  )
}

async function fileSize(file: string): Promise<number | undefined> {
  const found = await stat(file).catch(() => undefined)
  return found?.isFile() ? found.size : undefined
}
