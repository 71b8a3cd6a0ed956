import { SlipwayError } from '../../lib/errors.ts'
import { globPattern } from '../../lib/glob.ts'
import type { FileTree } from '../file-tree.ts'
import type { Entry } from '../tree.ts'
import type { CapturedChanges } from './script-runner.ts'

/** What a running container or a script's tools leave by the way: it differs from run to run, or is worked out anew. */
const never = [
  '/{dev,proc,sys,run,tmp}/**',
  '/var/{tmp,run}/**',
  '/.dockerenv',
  '/etc/{hostname,hosts,resolv.conf,mtab,machine-id,ld.so.cache,.pwd.lock}',
  '/etc/{passwd,group,shadow,gshadow,subuid,subgid}-',
  '/usr/sbin/policy-rc.d',
  '/root/.{bash_history,cache/**}',
  '/var/cache/{apt,debconf,ldconfig,man}/**',
  '/var/lib/apt/**',
  '/var/lib/dbus/machine-id',
  '/var/lib/systemd/random-seed',
  '/var/lib/dpkg/{status,available,lock}*',
  '/var/lib/dpkg/{info,triggers,updates,tmp.ci}/**',
  '/var/lib/dpkg/*-old',
  '/**/__pycache__{,/**}',
].flatMap(braces)

/** Folders that a script made stay, with their owners; what was written into them does not. */
const onlyFolders = ['/var/log/**', '/var/cache/**']

const neverPatterns = never.map(globPattern)
const folderPatterns = onlyFolders.map(globPattern)

/** Whether a path (relative) that scripts changed belongs into an image. */
export function isCaptured(path: string, type?: Entry['type']): boolean {
  const absolute = `/${path}`
  if (neverPatterns.some((pattern) => pattern.test(absolute))) return false
  const isFolder = type === undefined || type === 'directory'
  return isFolder || !folderPatterns.some((pattern) => pattern.test(absolute))
}

/**
 * Lays what scripts changed into the layer that is being built, so that the same scripts give the same bytes: no
 * caches, logs or ids of the machine, no date later than the layer's, no day on which an account was made. What is as
 * the tree has it already is left alone. Throws `run-removed` where a script removed what a layer below holds.
 *
 * @param day days since the epoch, for new lines of shadow(5)
 */
export function layCaptured(tree: FileTree, { entries, deleted }: CapturedChanges, day: number): void {
  for (const path of deleted) {
    if (!isCaptured(path)) continue
    const own = [...tree.own.keys()].filter((name) => name === path || name.startsWith(`${path}/`))
    for (const name of own) tree.remove(name)
    if (tree.get(path)) {
      throw new SlipwayError(
        'run-removed',
        `A maintainer script removed /${path}, which a layer below holds, and a layer only adds; leave it out with a rule under omit in appliance.yaml, or describe the script in a recipe.`,
      )
    }
  }
  for (const entry of entries) {
    if (!isCaptured(entry.path, entry.type)) continue
    const old = tree.get(entry.path)
    const laid = entry.path === 'etc/shadow' ? { ...entry, content: settledDays(entry, old, day) } : entry
    if (old && isSame(old, laid)) continue
    const mtime =
      entry.type === 'directory' && old?.type === 'directory' ? old.mtime : Math.min(entry.mtime, tree.date)
    tree.put({ ...laid, mtime })
  }
}

function isSame(a: Entry, b: Entry): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    (a.target ?? '') === (b.target ?? '') &&
    sameBytes(a.content, b.content) &&
    sameBytes(a.capability, b.capability)
  )
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0)
}

/** shadow(5) with the day of the last change as it was before, and the layer's for accounts that are new. */
function settledDays(entry: Entry, old: Entry | undefined, day: number): Uint8Array {
  const before = new Map(rows(old).map((row) => [row[0], row[2]]))
  const settled = rows(entry).map(([name, password, , ...rest]) =>
    [name, password, before.get(name) ?? String(day), ...rest].join(':'),
  )
  return new TextEncoder().encode(settled.map((line) => `${line}\n`).join(''))
}

function rows(entry: Entry | undefined): string[][] {
  const text = new TextDecoder().decode(entry?.content)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'))
}

/** "/etc/{a,b}" → "/etc/a", "/etc/b". */
function braces(glob: string): string[] {
  const [, before, inner, after] = /^(.*?)\{([^}]*)\}(.*)$/.exec(glob) ?? []
  return inner === undefined ? [glob] : inner.split(',').flatMap((part) => braces(`${before}${part}${after}`))
}
