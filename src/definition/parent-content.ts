import { lstat, readFile, readlink } from 'node:fs/promises'
import path from 'node:path'
import { type Digest, digestOf, sha256Hex } from '../lib/digest.ts'
import type { Definition } from './definition.ts'
import { desktopFiles } from './overlay.ts'
import { filesBelow, inRoot, type Root } from './roots.ts'
import { definitionValues, readDefinitionFiles } from './values.ts'

/** All that a product has from its parent: what the lock remembers of it, so that a change shows. */
export interface ParentContent {
  readonly name: string
  readonly version: string
  /** Of the two maps below. */
  readonly digest: Digest
  /** Path of a value ("services.dns.mem_limit") → what the parent says; scalars and lists. */
  readonly values: Readonly<Record<string, unknown>>
  /** A file that the parent brings (overlays, recipes, keyrings), by its path in the product → hex SHA-256. */
  readonly files: Readonly<Record<string, string>>
}

/** Reads what a definition's parent brings, its own parents included; undefined where it extends nothing. */
export async function readParentContent({ parent, roots }: Definition): Promise<ParentContent | undefined> {
  if (!parent) return undefined
  const own = new Set(['name', 'version'])
  const values = definitionValues(await readDefinitionFiles(parent.directory))
    .filter(({ path }) => !own.has(path))
    .map(({ path, value }) => [path, value] as const)
  const files = sorted(await hashFiles(roots.slice(1)))
  const content = { values: sorted(values), files }
  return { name: parent.name, version: parent.version, digest: contentDigest(content), ...content }
}

/** The digest of what a parent brings. */
export function contentDigest({ values, files }: Pick<ParentContent, 'values' | 'files'>): Digest {
  return digestOf(JSON.stringify([values, files]))
}

async function hashFiles(roots: readonly Root[]): Promise<[string, string][]> {
  const files = (await filesBelow(roots, 'images')).filter(
    (file) => !file.endsWith('/component.yaml') && !desktopFiles.has(path.posix.basename(file)),
  )
  const hashes = files.map(async (file) => [file, await hashNearest(roots, file)] as const)
  return (await Promise.all(hashes)).flatMap(([file, hash]) => (hash === undefined ? [] : [[file, hash]]))
}

/** A link is its text, as in the image: where it leads on this machine, if anywhere, is not what the parent brings. */
async function hashNearest(roots: readonly Root[], file: string): Promise<string | undefined> {
  for (const root of roots) {
    const place = inRoot(root, file)
    const found = await lstat(place).catch(() => undefined)
    if (found?.isSymbolicLink()) return sha256Hex(`link to ${await readlink(place)}`)
    if (found?.isFile()) return hashOf(place)
  }
  return undefined
}

/** A text with Windows line ends is the same file: so is it in the image. */
async function hashOf(file: string): Promise<string> {
  const bytes = await readFile(file)
  if (bytes.includes(0)) return sha256Hex(bytes)
  return sha256Hex(Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'))
}

function sorted<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}
