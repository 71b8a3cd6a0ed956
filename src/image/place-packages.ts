import { SlipwayError } from '../lib/errors.ts'
import type { FileTree } from './file-tree.ts'
import type { LayerPackage } from './layer-package.ts'
import type { Entry } from './tree.ts'

/** Path → the package of this layer that holds it. */
export type PathOwners = Map<string, LayerPackage>

/**
 * Puts the files of a layer's packages into the tree, as `dpkg --unpack` would: links at the root first (merged
 * /usr), then package by package. Two packages with different files at one path are refused as dpkg refuses them
 * (`file-clash`), unless one says Replaces of the other (Debian Policy 7.6.1).
 */
export function placePackages(
  tree: FileTree,
  packages: readonly LayerPackage[],
  owners: PathOwners = new Map(),
): void {
  for (const wanted of [true, false]) {
    for (const unpacked of packages) {
      for (const entry of unpacked.entries) {
        if (isRootLink(entry) === wanted) place(tree, entry, unpacked, owners)
      }
    }
  }
}

function isRootLink(entry: Entry): boolean {
  return entry.type === 'symlink' && !entry.path.includes('/')
}

function place(tree: FileTree, entry: Entry, unpacked: LayerPackage, owners: PathOwners): void {
  const path = tree.resolve(entry.path)
  const old = tree.get(path)
  if (entry.type === 'directory') {
    // A package may ship a directory where the image has a link to one, or a directory of the same kind: both stand.
    if (!old) tree.put(entry)
    return
  }
  const owner = owners.get(path)
  if (owner && owner !== unpacked) {
    if (replaces(owner, unpacked)) return
    if (!replaces(unpacked, owner)) throw clash(path, owner, unpacked)
  }
  owners.set(path, unpacked)
  tree.put(entry.type === 'hardlink' ? { ...entry, target: tree.resolve(entry.target!) } : entry)
}

function replaces(newer: LayerPackage, older: LayerPackage): boolean {
  const control = new TextDecoder().decode(newer.control.get('control'))
  const field = /^Replaces:(.*(?:\n[ \t].*)*)/im.exec(control)?.[1] ?? ''
  return field.split(',').some((name) => name.trim().split(/[\s:(]/)[0] === older.locked.name)
}

function clash(path: string, a: LayerPackage, b: LayerPackage): SlipwayError {
  return new SlipwayError(
    'file-clash',
    `/${path} is in ${a.locked.name} ${a.locked.version} and in ${b.locked.name} ${b.locked.version}, and neither replaces the other; drop one of them, or omit the path with a rule in appliance.yaml.`,
  )
}
