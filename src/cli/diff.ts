import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { openArchive } from '../debian/archive.ts'
import { loadDefinition } from '../definition/load.ts'
import { readSources } from '../definition/sources/read-sources.ts'
import { type Change, diffImages, diffMaps, type FileChange, type ImageDiff } from '../image/diff.ts'
import { openImage } from '../image/image-files.ts'
import { readLayout } from '../image/read-layout.ts'
import { formatBytes } from '../lib/bytes.ts'
import { cacheFolder } from '../lib/cache.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import { isFile } from '../lib/is-file.ts'
import { debianArchitecture, type Platform, platforms } from '../lib/platform.ts'
import { diffLocks as diffPackages } from '../lock/diff-lock.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import { lockName, parseLock, readLock } from '../lock/read-lock.ts'
import { resolveLock } from '../lock/resolve-lock.ts'
import type { Context } from './context.ts'
import { describeLockDiff } from './describe-lock-diff.ts'
import { describeParentDiff } from './describe-parent.ts'
import { readParentState } from './parent-diff.ts'
import { choosePlatforms, hostPlatform } from './platform-option.ts'

export interface DiffOptions {
  readonly directory: string
  readonly platform?: string
  readonly parent?: boolean
  readonly json?: boolean
}

/** Compares two builds (image layouts) or two locks, or a parent with what it was; exit code 0 either way. */
export async function run(
  context: Context,
  options: DiffOptions,
  args: readonly string[],
): Promise<undefined> {
  if (args.length === 0) return diffWithParent(context, options)
  if (args.length === 1 || options.parent) {
    throw badInput(
      'bad-usage',
      `Name two builds or two locks, or nothing for what changed beneath this product: ${commandName()} diff [a b]`,
    )
  }
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

/** What changed in the product that this one extends since the lock was made, down to the packages. */
async function diffWithParent(context: Context, { directory, json }: DiffOptions): Promise<undefined> {
  const definition = await loadDefinition(path.resolve(context.cwd, directory))
  if (!definition.parent) {
    throw badInput(
      'no-parent',
      `${definition.name} extends no other product; name two builds or two locks: ${commandName()} diff A B`,
    )
  }
  const previous = await readLock(definition.directory)
  const { now, diff } = await readParentState(definition, previous)
  const { name, version } = definition.parent
  if (!json) {
    const unchanged = previous.parent
      ? `${name} ${version} is as it was when ${lockName} was made.`
      : `${lockName} does not say what ${name} brought; \`${commandName()} lock\` writes it down.`
    for (const line of diff ? describeParentDiff(diff) : [unchanged]) context.print(line)
  }
  const archive = await openArchive(definition.debian, {
    architectures: definition.platforms.map(debianArchitecture),
    cache: cacheFolder(context.env),
    ...{ env: context.env, report: context.report, signal: context.signal },
  })
  const lock = resolveLock(definition, archive, {
    ...{ previous, parent: now, archSkew: true },
    sources: await readSources(definition),
  })
  const changed = diffPackages(previous, lock).filter(({ changes }) => changes.length > 0)
  if (json) {
    context.print(JSON.stringify({ parent: name, diff: diff ?? null, platforms: changed }, null, 2))
    return
  }
  for (const platform of changed) for (const line of describeLockDiff(platform, lock)) context.print(line)
  if (changed.length === 0) context.print('No package changes.')
  if (diff) context.print(`To take it: ${commandName()} lock --update ${name}`)
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

function diffLocks(a: Lockfile, b: Lockfile, platform: Platform): Change<string>[] {
  const versions = (lock: Lockfile) => {
    const { packages = [], sources = [] } = lock.platforms[platform] ?? {}
    return new Map([
      ...packages.map(({ name, version }) => [name, version] as const),
      ...sources.map(({ path: file, sha256 }) => [file, `sha256:${sha256.slice(0, 12)}`] as const),
    ])
  }
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
