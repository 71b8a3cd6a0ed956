import type { ValuePath } from './problem.ts'
import type { Place, YamlFile } from './yaml-file.ts'

/** One file's word on a value. */
export interface Setting extends Place {
  readonly value: unknown
  /** How it meets what is beneath: it stands instead of it, adds to its list, or takes it away. */
  readonly does: 'sets' | 'adds' | 'removes'
}

/** Several files read as one, and who said what. */
export interface MergedYaml extends YamlFile {
  /** Every word on a value, the lowest file's first: the last one counts. Empty: no file says anything. */
  readonly settingsOf: (path: ValuePath) => readonly Setting[]
}

/**
 * Lays files over each other, the lowest first. Maps merge key by key; anything else replaces what is beneath it. A
 * key with a `+` behind it adds its list to the list beneath, without doubles; an empty value takes away what is
 * beneath. The result has the name of the uppermost file.
 */
export function mergeYaml(files: readonly YamlFile[], options: MergeOptions = {}): MergedYaml {
  const [lowest, ...above] = files as [YamlFile, ...YamlFile[]]
  const top = files.at(-1)!
  const problems = files.flatMap((file) => file.problems)
  let node = leaf(lowest, [], lowest.value)
  if (problems.length === 0) for (const file of above) node = lay(node, file, [], file.value, options)
  return {
    file: top.file,
    value: node.value,
    problems,
    placeOf: (path) => find(node, path).place,
    settingsOf: (path) => settingsOf(node, path),
  }
}

export interface MergeOptions {
  /** Lists at the top of the file whose last item stays the last when others are added. */
  readonly keepLast?: readonly string[]
}

/** A value, where it stands, and what was there before. */
interface Node {
  readonly value: unknown
  readonly file: YamlFile
  readonly path: ValuePath
  readonly earlier: readonly Word[]
  readonly does: Setting['does']
  /** What `file` says itself, where `value` is more than that. */
  readonly said?: unknown
  /** Parts that do not all stand in `file`. */
  readonly parts?: ReadonlyMap<string, Node>
  /** Parts that were taken away. */
  readonly removed?: ReadonlyMap<string, readonly Word[]>
}

/** A setting whose line nobody has asked for: to find it takes a parser. */
type Word = Omit<Setting, keyof Place> & { readonly file: YamlFile; readonly path: ValuePath }

function leaf(file: YamlFile, path: ValuePath, value: unknown, earlier: readonly Word[] = []): Node {
  return { value, file, path, earlier, does: 'sets' }
}

function lay(base: Node, file: YamlFile, path: ValuePath, value: unknown, options: MergeOptions): Node {
  if (!isMap(base.value) || !isMap(value)) return leaf(file, path, value, wordsOn(base))
  const merged = new Map(Object.keys(base.value).map((key) => [key, part(base, key)]))
  const removed = new Map(base.removed)
  for (const [key, over] of Object.entries(value)) {
    const at = [...path, key]
    const plain = key.endsWith('+') ? key.slice(0, -1) : key
    const beneath = merged.get(plain)
    if (plain !== key && Array.isArray(over)) {
      merged.set(
        plain,
        addItems(beneath, file, at, over, path.length === 0 && options.keepLast?.includes(plain)),
      )
    } else if (over === null && beneath) {
      merged.delete(key)
      removed.set(key, [...wordsOn(beneath), { file, path: at, value: null, does: 'removes' }])
    } else {
      merged.set(
        key,
        beneath && plain === key
          ? lay(beneath, file, at, over, options)
          : leaf(file, at, over, removed.get(key)),
      )
      removed.delete(key)
    }
  }
  return {
    ...base,
    value: Object.fromEntries([...merged].map(([key, node]) => [key, node.value])),
    parts: merged,
    removed,
  }
}

function addItems(
  beneath: Node | undefined,
  file: YamlFile,
  path: ValuePath,
  added: readonly unknown[],
  keepLast = false,
): Node {
  if (!beneath || !Array.isArray(beneath.value)) {
    return { ...leaf(file, path, added, beneath && wordsOn(beneath)), does: 'adds' }
  }
  const old = beneath.value.map((_, index) => part(beneath, index))
  const known = new Set(beneath.value.map((item) => JSON.stringify(item)))
  const fresh = added.flatMap((item, index) =>
    known.has(JSON.stringify(item)) ? [] : [leaf(file, [...path, index], item)],
  )
  const items = keepLast ? [...old.slice(0, -1), ...fresh, ...old.slice(-1)] : [...old, ...fresh]
  return {
    value: items.map((item) => item.value),
    file,
    path,
    earlier: wordsOn(beneath),
    does: 'adds',
    said: added,
    parts: new Map(items.map((item, index) => [String(index), item])),
  }
}

function part(node: Node, key: string | number): Node {
  const known = node.parts?.get(String(key))
  return known ?? leaf(node.file, [...node.path, key], (node.value as Record<string | number, unknown>)[key])
}

function wordsOn({ file, path, value, earlier, does, said }: Node): Word[] {
  return [...earlier, { file, path, value: said ?? value, does }]
}

function find(node: Node, path: ValuePath): { place: Place } {
  let at = node
  for (const [index, key] of path.entries()) {
    const next = at.parts?.get(String(key))
    if (!next) return { place: at.file.placeOf([...at.path, ...path.slice(index)]) }
    at = next
  }
  return { place: at.file.placeOf(at.path) }
}

function settingsOf(node: Node, path: ValuePath): readonly Setting[] {
  let at = node
  for (const key of path) {
    const gone = at.removed?.get(String(key))
    if (gone) return gone.map(placed)
    const holds = typeof at.value === 'object' && at.value !== null && Object.hasOwn(at.value, key)
    if (!holds) return []
    at = part(at, key)
  }
  return wordsOn(at).map(placed)
}

function placed({ file, path, ...setting }: Word): Setting {
  return { ...file.placeOf(path), ...setting }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
