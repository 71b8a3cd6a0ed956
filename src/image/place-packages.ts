import { fieldOf, parseStanzas } from '../debian/deb822.ts'
import { badInput, type SlipwayError } from '../lib/errors.ts'
import type { FileTree } from './file-tree.ts'
import type { LayerPackage } from './layer-package.ts'
import type { Entry } from './tree.ts'

/** Path → the package of this layer that holds it. */
export type PathOwners = Map<string, LayerPackage>

/**
 * Puts the files of a layer's packages into the tree, as `dpkg --unpack` would: links at the root first (merged
 * /usr), then package by package. Two packages with different files at one path are refused as dpkg refuses them
 * (`file-clash`, exit code 2), of this layer and those below, unless one says Replaces of the other (Debian Policy 7.6.1).
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
    if (!replaces(unpacked, owner)) throw clash(path, named(owner), named(unpacked))
  }
  if (!owner && old && old.type !== 'directory' && isKeptBelow(tree, [path, entry.path], unpacked)) return
  owners.set(path, unpacked)
  tree.put(entry.type === 'hardlink' ? { ...entry, target: tree.resolve(entry.target!) } : entry)
}

function replaces(newer: LayerPackage, older: LayerPackage): boolean {
  return namesReplaced(replacesField(newer)).includes(older.locked.name)
}

function replacesField({ control }: LayerPackage): string | undefined {
  const [stanza] = parseStanzas(new TextDecoder().decode(control.get('control')), 'control')
  return stanza && fieldOf(stanza, 'Replaces')
}

function namesReplaced(field = ''): string[] {
  return field.split(',').map((name) => name.trim().split(/[\s:(]/)[0]!)
}

/**
 * Whether a package of a layer below keeps its file at this path, known by the database that those layers hold (dpkg(1),
 * info/*.list). Throws `file-clash` where neither replaces the other.
 */
function isKeptBelow(tree: FileTree, paths: readonly string[], unpacked: LayerPackage): boolean {
  const lines = paths.map((path) => `\n/${path}\n`)
  for (const file of tree.list(info)) {
    if (!file.endsWith('.list')) continue
    const listed = `\n${tree.readText(`${info}/${file}`)}`
    if (!lines.some((line) => listed.includes(line))) continue
    const name = file.slice(0, -'.list'.length).split(':')[0]!
    if (name === unpacked.locked.name || namesReplaced(replacesField(unpacked)).includes(name)) continue
    const status = parseStanzas(tree.readText('var/lib/dpkg/status'), 'var/lib/dpkg/status')
    const below = status.find((stanza) => fieldOf(stanza, 'Package') === name)
    if (below && namesReplaced(fieldOf(below, 'Replaces')).includes(unpacked.locked.name)) return true
    throw clash(paths[0]!, name, named(unpacked))
  }
  return false
}

const info = 'var/lib/dpkg/info'

function named({ locked }: LayerPackage): string {
  return `${locked.name} ${locked.version}`
}

function clash(path: string, a: string, b: string): SlipwayError {
  return badInput(
    'file-clash',
    `/${path} is in ${a} and in ${b}, and neither replaces the other; drop one of them, or omit the path with a rule in appliance.yaml.`,
  )
}
