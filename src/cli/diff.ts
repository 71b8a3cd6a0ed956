import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Change, diffImages, diffMaps, type FileChange, type ImageDiff } from '../image/diff.ts'
import { openImage } from '../image/image-files.ts'
import { readLayout } from '../image/read-layout.ts'
import { formatBytes } from '../lib/bytes.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { type Platform, platforms } from '../lib/platform.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import { lockName, parseLock, readLock } from '../lock/read-lock.ts'
import type { Context } from './context.ts'
import { choosePlatforms, hostPlatform } from './platform-option.ts'

export interface DiffOptions {
  readonly platform?: string
  readonly json?: boolean
}

/** Compares two builds (image layouts) or two locks; exit code 0 either way. */
export async function run(
  context: Context,
  options: DiffOptions,
  args: readonly string[],
): Promise<undefined> {
  const [a, b] = args.map((arg) => path.resolve(context.cwd, arg)) as [string, string]
  const [platform] = choosePlatforms([options.platform ?? hostPlatform()], platforms) as [Platform]
  const kind = await kindOf(a)
  const other = await kindOf(b)
  if (kind !== other) {
    throw badInput('not-alike', `${a} is ${kind} and ${b} is ${other}; name two of a kind.`)
  }
  const diff =
    kind === 'an image layout'
      ? diffImages(
          await openImage(await readLayout(a, platform)),
          await openImage(await readLayout(b, platform)),
        )
      : { packages: diffLocks(await openLock(a), await openLock(b), platform), files: [], config: [] }
  if (options.json) context.print(JSON.stringify({ platform, ...diff }, null, 2))
  else for (const line of describe(diff)) context.print(line)
}

async function kindOf(place: string): Promise<'an image layout' | 'a lock'> {
  if (await isFile(path.join(place, 'index.json'))) return 'an image layout'
  if ((await isFile(place)) || (await isFile(path.join(place, lockName)))) return 'a lock'
  const found = await stat(place).catch(() => undefined)
  throw badInput(
    'nothing-to-compare',
    `${place} ${found ? 'holds neither an image layout nor a lock' : 'is not there'}; name two layouts that ${commandName()} build wrote, or two locks (the file, or its folder).`,
  )
}

/** By the name of the file, or of the folder that holds it. */
async function openLock(place: string): Promise<Lockfile> {
  return (await isFile(place)) ? parseLock(await readFile(place, 'utf8'), place) : readLock(place)
}

async function isFile(place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined))?.isFile() === true
}

function diffLocks(a: Lockfile, b: Lockfile, platform: Platform): Change<string>[] {
  const versions = (lock: Lockfile) =>
    new Map((lock.platforms[platform]?.packages ?? []).map((entry) => [entry.name, entry.version]))
  return diffMaps(versions(a), versions(b), (x, y) => x === y)
}

function describe(diff: ImageDiff): string[] {
  const sections: [string, string[]][] = [
    ['Packages', diff.packages.map(describeChange)],
    ['Files', diff.files.map(describeFile)],
    ['Configuration', diff.config.map(describeChange)],
  ]
  const lines = sections.flatMap(([title, changes]) =>
    changes.length === 0 ? [] : [`${title} (${changes.length})`, ...changes.map((line) => `  ${line}`)],
  )
  return lines.length > 0 ? lines : ['No difference.']
}

function describeChange({ name, from, to }: Change<unknown>): string {
  if (from === undefined) return `+ ${name} ${to}`
  if (to === undefined) return `- ${name} ${from}`
  return `~ ${name} ${from} → ${to}`
}

function describeFile({ name, from, to, differs }: FileChange): string {
  if (!from) return `+ ${name} (${to!.type}, ${to!.mode}, ${formatBytes(to!.size)})`
  if (!to) return `- ${name}`
  const details = differs.map((what) => {
    if (what === 'mode') return `mode ${from.mode} → ${to.mode}`
    if (what === 'owner') return `owner ${from.owner} → ${to.owner}`
    if (what === 'content' && from.size !== to.size)
      return `content ${formatBytes(from.size)} → ${formatBytes(to.size)}`
    return what
  })
  return `~ ${name} (${details.join(', ')})`
}
