import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { writeFileAtomic } from '../../lib/atomic.ts'
import type { Digest } from '../../lib/digest.ts'

/** Which repository of a registry has a blob, as far as earlier pushes from this machine know: [digest, repository]. */
export type KnownBlobs = ReadonlyMap<Digest, string>

const most = 2000

/** Reads it; empty where there is none. */
export async function readKnownBlobs(cacheRoot: string, registry: string): Promise<KnownBlobs> {
  try {
    const pairs: unknown = JSON.parse(await readFile(fileOf(cacheRoot, registry), 'utf8'))
    if (!Array.isArray(pairs)) return new Map()
    const isPair = (pair: unknown): pair is [Digest, string] =>
      Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string')
    return new Map(pairs.filter(isPair))
  } catch {
    return new Map()
  }
}

/** Adds what a push brought. Fails silently: it only saves a later push some bytes. */
export async function rememberBlobs(
  cacheRoot: string,
  registry: string,
  repository: string,
  digests: readonly Digest[],
): Promise<void> {
  const known = new Map(await readKnownBlobs(cacheRoot, registry))
  for (const digest of digests) {
    known.delete(digest)
    known.set(digest, repository)
  }
  const text = JSON.stringify([...known].slice(-most))
  await writeFileAtomic(fileOf(cacheRoot, registry), text).catch(() => {})
}

function fileOf(cacheRoot: string, registry: string): string {
  return path.join(cacheRoot, 'registries', `${registry.replace(/[^\w.-]/g, '_')}.json`)
}
