import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { stringify } from 'yaml'
import { mergeAppliance } from './load.ts'
import { mergeYaml } from './merge-yaml.ts'
import { findParents, rootsOf } from './parents.ts'
import { inRoot, type Root, type Roots, rootsWithFile } from './roots.ts'
import { readComposeFile } from './runtime-check.ts'
import { readYamlFile } from './yaml-file.ts'

/** A file of a product directory. */
export interface ProductFile {
  /** Relative, forward slashes. */
  readonly path: string
  readonly content?: Uint8Array
  /** A symbolic link's text. */
  readonly target?: string
}

/**
 * A product and all that it extends as the files of one directory that extends nothing and means the same,
 * in order. A file that stands alone is as it was written, remarks and all. The
 * definition is right: load it first. Neither lock nor anything outside `appliance.yaml`, `images/`, `compose/` and
 * `profiles/` is among them but what `appliance.yaml` names.
 */
export async function flattenProduct(directory: string): Promise<ProductFile[]> {
  const chain = await findParents(directory)
  const roots = rootsOf(chain)
  const appliance = mergeAppliance(chain)
  const files = new Map<string, ProductFile>()
  const put = async (path: string): Promise<void> => {
    files.set(path, await mergedFile(roots, path))
  }
  const write = (path: string, value: unknown): void => {
    files.set(path, { path, content: Buffer.from(stringify(value)) })
  }
  if (chain.length === 1) await put('appliance.yaml')
  else write('appliance.yaml', appliance.value)
  for (const folder of ['images', 'profiles'])
    for (const file of await filesBelow(roots, folder)) await put(file)
  for (const file of await filesBelow(roots, 'compose')) {
    if (chain.length === 1 || !file.endsWith('.yaml')) await put(file)
  }
  if (chain.length > 1) write('compose/appliance.yaml', (await readComposeFile({ roots })).value)
  for (const file of namedFiles(appliance.value)) if (!files.has(file)) await put(file)
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Files outside the known folders that `appliance.yaml` names. */
function namedFiles(value: unknown): string[] {
  const { debian, keys, brand } = value as {
    debian: { keyrings: string[] }
    keys?: string[]
    brand: { logo?: string }
  }
  return [...debian.keyrings, ...(keys ?? []), ...(brand.logo === undefined ? [] : [brand.logo])]
}

/** The nearest root's file; the YAML files of the definition merge. */
async function mergedFile(roots: Roots, file: string): Promise<ProductFile> {
  const merges = /^images\/[^/]+\/component\.yaml$|^profiles\/[^/]+\.yaml$/.test(file)
  const holders = merges ? await rootsWithFile(roots, file) : []
  if (holders.length > 1) {
    const yaml = mergeYaml(await Promise.all(holders.map((root) => readYamlFile(root, file)).reverse()))
    return { path: file, content: Buffer.from(stringify(yaml.value)) }
  }
  for (const root of roots) {
    const place = inRoot(root, file)
    const found = await lstat(place).catch(() => undefined)
    if (found?.isSymbolicLink()) return { path: file, target: await readlink(place) }
    if (found) return { path: file, content: await readFile(place) }
  }
  throw new Error(`${file} went away while it was read`)
}

/** Every file of a folder in any of the roots, by its path in the product, ordered. */
export async function filesBelow(roots: readonly Root[], folder: string): Promise<string[]> {
  const found = new Set<string>()
  const walk = async (root: Root, below: string): Promise<void> => {
    const entries = await readdir(inRoot(root, below), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const file = `${below}/${entry.name}`
      if (entry.isDirectory()) await walk(root, file)
      else found.add(file)
    }
  }
  for (const root of roots) await walk(root, folder)
  return [...found].sort()
}
