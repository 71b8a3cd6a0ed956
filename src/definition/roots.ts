import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { isFile } from '../lib/is-file.ts'

/** A product directory: the product's own, or one that it extends. */
export interface Root {
  /** Absolute. */
  readonly directory: string
  /** What its files begin with when they are shown: empty for the product's own, else where the parent is. */
  readonly label: string
}

/** A product's directories, its own first, then its parents upwards. */
export type Roots = readonly [Root, ...Root[]]

/** "slipway-reference/compose/appliance.yaml"; forward slashes on every host. */
export function shownFile({ label }: Root, file: string): string {
  const shown = file.split(path.sep).join('/')
  return label === '' ? shown : `${label}/${shown}`
}

/** The directories that have this file (relative, forward slashes), the nearest to the product first. */
export async function rootsWithFile(roots: readonly Root[], file: string): Promise<Root[]> {
  const present = await Promise.all(roots.map((root) => isFile(inRoot(root, file))))
  return roots.filter((_, index) => present[index])
}

/** The absolute path of a file, of the nearest directory that has it. */
export async function findInRoots(roots: readonly Root[], file: string): Promise<string | undefined> {
  const [nearest] = await rootsWithFile(roots, file)
  return nearest && inRoot(nearest, file)
}

/** What a folder (relative, forward slashes) of any of the directories holds: names, sorted by code unit. */
export async function namesInRoots(roots: readonly Root[], folder: string): Promise<string[]> {
  const names = await Promise.all(roots.map((root) => readdir(inRoot(root, folder)).catch(() => [])))
  return [...new Set(names.flat())].sort()
}

/** The absolute path of a relative one with forward slashes. */
export function inRoot({ directory }: Root, file: string): string {
  return path.join(directory, ...file.split('/'))
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
