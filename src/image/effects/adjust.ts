import type { AdjustEffect, UnsupportedEffect } from '../../debian/effect.ts'
import { SlipwayError } from '../../lib/errors.ts'
import { groupId, userId } from '../accounts.ts'
import type { FileTree } from '../file-tree.ts'
import { changeEntry } from './files.ts'
import { matchingPaths } from './matching-paths.ts'

/** Gives what is there another mode or owner; what has them already stays where it is, in whichever layer. */
export function adjust(tree: FileTree, effect: AdjustEffect): void {
  const named = effect.isPattern ? matchingPaths(tree, effect.path) : [effect.path]
  const paths = effect.isRecursive ? named.flatMap((path) => allBelow(tree, path)) : named
  for (const path of paths) adjustOne(tree, path, effect)
}

function adjustOne(tree: FileTree, path: string, effect: AdjustEffect): void {
  const named = tree.get(path)
  const entry = named?.type === 'hardlink' ? tree.get(named.target!) : named
  if (!entry || (effect.only && entry.type !== effect.only)) return
  const mode = entry.type === 'symlink' ? undefined : wantedMode(effect, entry)
  const isSame =
    (mode ?? entry.mode) === entry.mode &&
    (effect.owner === undefined || userId(tree, effect.owner) === entry.uid) &&
    (effect.group === undefined || groupId(tree, effect.group) === entry.gid)
  if (isSame) return
  const { owner, group } = effect
  changeEntry(tree, path, {
    ...(mode !== undefined && { mode }),
    ...(owner !== undefined && { owner }),
    ...(group !== undefined && { group }),
  })
}

/** A masked mode gives no right that nobody had, and sets bits of execution as another only on a folder. */
function wantedMode(
  { mode, isMasked }: AdjustEffect,
  entry: { readonly mode: number; readonly type: string },
): number | undefined {
  if (mode === undefined || !isMasked) return mode
  const had = [0o111, 0o222, 0o444].filter((bits) => (entry.mode & bits) !== 0)
  const kept = had.reduce((sum, bits) => sum | bits, entry.type === 'directory' ? 0o7000 : 0)
  return mode & kept
}

/** A path and all below it, folders first; links are not followed. */
function allBelow(tree: FileTree, path: string): string[] {
  if (tree.get(path)?.type !== 'directory') return [path]
  return [path, ...tree.list(path).flatMap((name) => allBelow(tree, `${path}/${name}`))]
}

/** Stops the build where a package wants for a path of the image what no layer would hold. */
export function refuseUnsupported(tree: FileTree, { path, what }: UnsupportedEffect): void {
  const [found] = matchingPaths(tree, path)
  if (found === undefined) return
  throw new SlipwayError(
    'unsupported-declaration',
    `A package's tmpfiles.d file gives ${found} ${what}, which no layer of an image would hold; leave that file out by an omit rule in appliance.yaml, and let the service do without.`,
  )
}
