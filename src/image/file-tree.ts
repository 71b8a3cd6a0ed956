import { compareBytes } from '../lib/compare-bytes.ts'
import { badInput, SlipwayError } from '../lib/errors.ts'
import type { Entry } from './tree.ts'

/**
 * An image's files in memory: the layers below, read-only, and the one being written. Paths are relative to the root;
 * a parent that is a symbolic link is followed (merged /usr: `bin/sh` is kept as `usr/bin/sh`), the last part never is.
 */
export class FileTree {
  readonly #lower: readonly ReadonlyMap<string, Entry>[]
  readonly #own = new Map<string, Entry>()
  readonly #children = new Map<string, Set<string>>()
  /** Files that hard links of this layer have led to. */
  readonly #linked = new Set<string>()
  readonly #date: number

  /** `lower` bottom first; `date` (seconds) is given to directories that nothing else dates. */
  constructor(lower: readonly ReadonlyMap<string, Entry>[], date: number) {
    this.#lower = lower
    this.#date = date
    for (const layer of lower) for (const path of layer.keys()) this.#addChild(path)
  }

  /** What this layer holds, unordered: the tar writer sorts. */
  get own(): ReadonlyMap<string, Entry> {
    return this.#own
  }

  get date(): number {
    return this.#date
  }

  /** The entry at a path, in the topmost layer that has it. */
  get(path: string): Entry | undefined {
    return this.#at(this.resolve(path))
  }

  /** The path with the symbolic links among its parents followed. */
  resolve(path: string): string {
    const pending = path.split('/').filter((part) => part !== '' && part !== '.')
    const done: string[] = []
    let followed = 0
    while (pending.length > 0) {
      const part = pending.shift()!
      if (part === '..') {
        done.pop()
        continue
      }
      done.push(part)
      if (pending.length === 0) break
      const entry = this.#at(done.join('/'))
      if (entry?.type !== 'symlink') continue
      if (++followed > 40)
        throw badInput('link-loop', `The links on the way to /${path.replace(/^\/+/, '')} go in a circle.`)
      done.pop()
      if (entry.target!.startsWith('/')) done.length = 0
      pending.unshift(...entry.target!.split('/').filter((p) => p !== '' && p !== '.'))
    }
    return done.join('/')
  }

  /** The file that a path names, every symbolic link followed; undefined where nothing is there. */
  follow(path: string): Entry | undefined {
    let entry = this.get(path)
    for (let hops = 0; entry?.type === 'symlink' && hops < 40; hops++) {
      const folder = entry.target!.startsWith('/') ? '' : parentOf(entry.path)
      entry = this.get(`${folder}/${entry.target}`)
    }
    return entry?.type === 'hardlink' ? this.get(entry.target!) : entry
  }

  /** Names directly below a directory, in any layer, sorted bytewise. */
  list(directory: string): string[] {
    return [...(this.#children.get(parentOf(this.resolve(`${directory}/_`))) ?? [])].sort(compareBytes)
  }

  /** Bytes of a regular file. */
  read(path: string): Uint8Array {
    const entry = this.follow(path)
    if (entry?.type === 'file' && entry.content) return entry.content
    throw new SlipwayError(
      'no-such-file',
      `/${path} is ${entry ? `a ${entry.type}` : 'not'} in the image so far.`,
    )
  }

  readText(path: string): string {
    return new TextDecoder().decode(this.read(path))
  }

  /**
   * Adds or replaces an entry in the layer being written; missing parents become 0755 root directories. A directory
   * that the tree has already keeps its place in the layer below when nothing about it changes. Throws `over-folder`, `over-file` and
   * `below-file` (exit code 2) where what stands there is of another kind.
   */
  put(entry: Entry): Entry {
    const path = this.resolve(entry.path)
    const old = this.#at(path)
    if (entry.type === 'directory' && old?.type === 'directory' && sameDirectory(old, entry)) return old
    if (entry.type === 'directory' && old?.type === 'file')
      throw badInput('over-file', `/${path} is a file of the image, and a folder cannot take its place.`)
    if (entry.type !== 'directory' && old) this.#refuseOverFolder(path, entry, old)
    this.#ensureParents(path)
    // Asked only then: what a layer below holds may have to be unpacked to tell.
    if (this.#linked.has(path) && entry.content !== old?.content) this.#keepOtherNames(path)
    if (entry.type === 'hardlink') this.#linked.add(entry.target!)
    const placed = path === entry.path ? entry : { ...entry, path }
    this.#own.set(path, placed)
    this.#addChild(path)
    return placed
  }

  /** Takes a path out of the layer being written. Nothing below can be removed: a layer only adds. */
  remove(path: string): void {
    const resolved = this.resolve(path)
    this.#keepOtherNames(resolved)
    if (this.#own.delete(resolved)) this.#children.get(parentOf(resolved))?.delete(baseOf(resolved))
  }

  /** The other names of a hard link keep what they had, as where a new file is moved into place or one is removed. */
  #keepOtherNames(path: string): void {
    const old = this.#own.get(path)
    if (old?.type !== 'file' || !this.#linked.has(path)) return
    let heir: string | undefined
    for (const link of this.#own.values()) {
      if (link.type !== 'hardlink' || link.target !== path) continue
      this.#own.set(link.path, heir === undefined ? { ...old, path: link.path } : { ...link, target: heir })
      heir ??= link.path
    }
    if (heir !== undefined) this.#linked.add(heir)
  }

  #at(path: string): Entry | undefined {
    const own = this.#own.get(path)
    if (own) return own
    for (let index = this.#lower.length - 1; index >= 0; index--) {
      const entry = this.#lower[index]!.get(path)
      if (entry) return entry
    }
    return undefined
  }

  /** A layer that puts a file where one below has a folder takes all that is in the folder away. */
  #refuseOverFolder(path: string, { type }: Entry, old: Entry): void {
    if (old.type === 'directory' && this.list(path).length > 0)
      throw badInput(
        'over-folder',
        `/${path} is a folder of the image with files in it, and a ${type} cannot take its place.`,
      )
    const isFolder = old.type === 'symlink' && type === 'file' && this.follow(path)?.type === 'directory'
    if (isFolder)
      throw badInput(
        'over-folder',
        `/${path} is a link to the folder ${old.target}, and a file cannot take its place.`,
      )
  }

  #ensureParents(path: string): void {
    const parent = parentOf(path)
    if (parent === '') return
    const found = this.#at(parent)
    if (found && found.type !== 'directory')
      throw badInput('below-file', `/${path} cannot be there: /${parent} is a ${found.type} of the image.`)
    if (found) return
    this.#ensureParents(parent)
    this.#own.set(parent, { path: parent, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: this.#date })
    this.#addChild(parent)
  }

  #addChild(path: string): void {
    const parent = parentOf(path)
    const names = this.#children.get(parent)
    if (names) names.add(baseOf(path))
    else this.#children.set(parent, new Set([baseOf(path)]))
  }
}

function sameDirectory(a: Entry, b: Entry): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Every directory on the way to an entry: a layer names them all, so that unpacking never guesses a mode. */
export function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) parents.unshift(parent)
  return parents
}
