import { fieldOf, parseStanzas } from '../debian/deb822.ts'
import { parseDependencies } from '../debian/dependency.ts'
import { satisfies } from '../debian/version.ts'
import { badInput, type SlipwayError } from '../lib/errors.ts'
import { writeText } from './effects/files.ts'
import type { FileTree } from './file-tree.ts'
import type { LayerPackage } from './layer-package.ts'
import type { Entry } from './tree.ts'

/** Whose the files of a layer are. */
export interface PathOwners {
  /** Path → the package of this layer that holds it. */
  readonly byPath: Map<string, LayerPackage>
  /** Name of a package, of this layer or one below → its paths at which the file of another one stands. */
  readonly replaced: Map<string, Set<string>>
}

export const noOwners = (): PathOwners => ({ byPath: new Map(), replaced: new Map() })

/**
 * Puts the files of a layer's packages into the tree, as `dpkg --unpack` would: links at the root first (merged
 * /usr), then package by package. Two packages with different files at one path are refused as dpkg refuses them
 * (`file-clash`, exit code 2), of this layer and those below, unless one says Replaces of the other (Debian Policy 7.6.1).
 */
export function placePackages(
  tree: FileTree,
  packages: readonly LayerPackage[],
  owners: PathOwners = noOwners(),
): void {
  for (const wanted of [true, false]) {
    for (const unpacked of packages) {
      for (const entry of unpacked.entries) {
        if (isRootLink(entry) === wanted) place(tree, entry, unpacked, owners)
      }
    }
  }
}

/**
 * Takes what another package replaced out of a package's list, as dpkg does: `dpkg -V` would find it changed, and removing
 * the package would remove the other's file. The layer's own lists are written.
 */
export function dropReplaced(tree: FileTree, { replaced }: PathOwners): void {
  for (const [name, paths] of replaced) {
    for (const file of listsOf(tree, name)) {
      const lines = tree.readText(file).split('\n')
      const kept = lines.filter((line) => !paths.has(tree.resolve(line)))
      if (kept.length < lines.length) writeText(tree, file, kept.join('\n'))
    }
  }
}

function listsOf(tree: FileTree, name: string): string[] {
  const names = tree.list(info).filter((file) => file === `${name}.list` || file.startsWith(`${name}:`))
  return names.filter((file) => file.endsWith('.list')).map((file) => `${info}/${file}`)
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
  const owner = owners.byPath.get(path)
  if (owner && owner !== unpacked) {
    if (replaces(owner, unpacked)) {
      note(owners, unpacked.locked.name, path)
      return
    }
    if (!replaces(unpacked, owner)) throw clash(path, named(owner), named(unpacked))
    note(owners, owner.locked.name, path)
  }
  if (!owner && old && old.type !== 'directory' && isKeptBelow(tree, [path, entry.path], unpacked, owners))
    return
  owners.byPath.set(path, unpacked)
  tree.put(entry.type === 'hardlink' ? { ...entry, target: tree.resolve(entry.target!) } : entry)
}

function note({ replaced }: PathOwners, name: string, path: string): void {
  const paths = replaced.get(name)
  if (paths) paths.add(path)
  else replaced.set(name, new Set([path]))
}

function replaces(newer: LayerPackage, older: LayerPackage): boolean {
  return fieldNames(replacesField(newer), older.locked.name, older.locked.version)
}

function replacesField({ control }: LayerPackage): string | undefined {
  const [stanza] = parseStanzas(new TextDecoder().decode(control.get('control')), 'control')
  return stanza && fieldOf(stanza, 'Replaces')
}

/** Whether a Replaces field speaks of a package in this version. */
function fieldNames(field = '', name: string, version: string): boolean {
  return parseDependencies(field)
    .flat()
    .some((one) => one.name === name && (!one.relation || satisfies(version, one.relation, one.version!)))
}

/**
 * Whether a package of a layer below keeps its file at this path, known by the database that those layers hold (dpkg(1),
 * info/*.list). Throws `file-clash` where neither replaces the other.
 */
function isKeptBelow(
  tree: FileTree,
  paths: readonly [string, string],
  unpacked: LayerPackage,
  owners: PathOwners,
): boolean {
  const lines = paths.map((path) => `\n/${path}\n`)
  for (const file of tree.list(info)) {
    if (!file.endsWith('.list')) continue
    const listed = `\n${tree.readText(`${info}/${file}`)}`
    if (!lines.some((line) => listed.includes(line))) continue
    const name = file.slice(0, -'.list'.length).split(':')[0]!
    if (name === unpacked.locked.name) continue
    const status = parseStanzas(tree.readText('var/lib/dpkg/status'), 'var/lib/dpkg/status')
    const below = status.find((stanza) => fieldOf(stanza, 'Package') === name)
    const version = (below && fieldOf(below, 'Version')) ?? ''
    if (fieldNames(replacesField(unpacked), name, version)) {
      note(owners, name, paths[0])
      continue
    }
    if (!below || !fieldNames(fieldOf(below, 'Replaces'), unpacked.locked.name, unpacked.locked.version))
      throw clash(paths[0], name, named(unpacked))
    note(owners, unpacked.locked.name, paths[0])
    return true
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
