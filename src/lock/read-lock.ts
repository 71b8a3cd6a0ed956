import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { contentDigest } from '../definition/parent-content.ts'
import { localSuite } from '../definition/sources/source.ts'
import { commandName, programName } from '../lib/command-name.ts'
import { badInput, errorCode, type SlipwayError } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { type Platform, platforms } from '../lib/platform.ts'
import { anyText, anything, type Check, count, listOf, mapOf, object, text } from './lock-shape.ts'
import { assemblyVersion, type LockedPackage, type Lockfile, lockVersion } from './lockfile.ts'

/** The lock's name in a product directory. */
export const lockName = 'appliance.lock'

/** Reads a product directory's lock; undefined where there is none. Throws `bad-lock` (exit code 2). */
export async function findLock(directory: string): Promise<Lockfile | undefined> {
  const file = path.join(directory, lockName)
  try {
    return parseLock(await readFile(file, 'utf8'), lockName)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Reads a product directory's lock; throws `no-lock` where there is none, `bad-lock` where it can't be used. */
export async function readLock(directory: string): Promise<Lockfile> {
  const lock = await findLock(directory)
  if (lock) return lock
  throw badInput('no-lock', `There is no ${lockName} in ${directory}; to make one: ${commandName()} lock`)
}

/**
 * Checks a lock's text as strictly as if it came from elsewhere: every value's form, every name in `needs`, the
 * order. `label` names the file in errors; each is one `bad-lock` sentence (exit code 2).
 */
export function parseLock(source: string, label: string): Lockfile {
  const value = parseJson(source, label)
  refuseNewer(value, label)
  const problem = shape(value, '') ?? contentProblem(value as Lockfile)
  if (problem !== undefined) throw editedWrongly(label, problem)
  return value as Lockfile
}

const name = text(/^[A-Za-z0-9][A-Za-z0-9+.-]*$/, 'a package name')
const layer = text(/^[a-z0-9][a-z0-9-]*$/, 'a layer name')
const version = text(/^(?:\d+:)?[A-Za-z0-9.+~-]+$/, 'a Debian version')
const suite = text(/^[a-z0-9][a-z0-9.-]*$/, 'a suite')
const digest = text(/^sha256:[0-9a-f]{64}$/, 'a sha256 digest')
const hex = text(/^[0-9a-f]{64}$/, '64 hex digits')
const date = text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/, 'a date in UTC')
const poolPath = text(
  /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[A-Za-z0-9+.~_:%/-]+\.deb$/,
  'the path of a .deb below an archive',
)

const platformName = text(new RegExp(`^(?:${platforms.join('|')})$`), `one of ${platforms.join(', ')}`)

const packages = listOf(
  object(
    {
      name,
      version,
      architecture: text(/^[a-z0-9][a-z0-9-]*$/, 'an architecture'),
      source: name,
      sourceVersion: version,
      suite,
      path: poolPath,
      size: count,
      sha256: hex,
      layer,
      needs: listOf(name),
    },
    { requestedBy: listOf(layer) },
  ),
)

const sources = listOf(
  object({
    component: layer,
    kind: text(/^(?:directory|tarball)$/, 'directory or tarball'),
    path: text(/^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[^\\:]+$/, 'a path below the product directory'),
    size: count,
    sha256: hex,
    layer,
  }),
)

const runs = listOf(
  object({
    package: name,
    version,
    script: text(/^(?:preinst|postinst)$/, 'preinst or postinst'),
    sha256: hex,
  }),
)

const shape: Check = object(
  {
    lockVersion: count,
    assemblyVersion: count,
    definition: digest,
    date,
    archives: listOf(
      object(
        {
          suite,
          mirror: text(/^(?:main|security)$/, 'main or security'),
          inRelease: digest,
          date,
          signedBy: listOf(text(/^[0-9A-F]{40,64}$/, 'a fingerprint')),
        },
        { validUntil: date, validUntilWaived: anyText },
      ),
    ),
    platforms: mapOf(
      platformName,
      object(
        {
          packages,
          excluded: listOf(
            object({
              name,
              version: text(/^(?:(?:\d+:)?[A-Za-z0-9.+~-]+)?$/, 'a Debian version'),
              reason: anyText,
              neededBy: listOf(name),
            }),
          ),
        },
        { sources, runs },
      ),
    ),
  },
  {
    parent: object({
      name: anyText,
      version: anyText,
      digest,
      values: mapOf(anyText, anything),
      files: mapOf(anyText, text(/^[0-9a-f]{64}$/, '64 hex digits')),
    }),
    installer: mapOf(platformName, packages),
  },
)

/** What no form can tell: names that lead nowhere, packages twice or out of order, suites without an archive. */
function contentProblem(lock: Lockfile): string | undefined {
  if (lock.parent && contentDigest(lock.parent) !== lock.parent.digest) {
    return `what ${lock.parent.name} brought does not have the digest that stands there`
  }
  const suites = new Set(lock.archives.map((archive) => archive.suite))
  for (const [platform, { packages, runs = [] }] of Object.entries(lock.platforms)) {
    const stray = runs.find((run) => !packages.some((locked) => locked.name === run.package))
    const problem = stray
      ? `a script of ${stray.package} runs, which is not locked`
      : packagesProblem(packages, suites, new Set())
    if (problem !== undefined) return `in ${platform}, ${problem}`
  }
  for (const [platform, packages] of Object.entries(lock.installer ?? {})) {
    const below = lock.platforms[platform as Platform]?.packages
    const problem = below
      ? packagesProblem(packages, suites, new Set(below.map((locked) => locked.name)))
      : 'there is no appliance'
    if (problem !== undefined) return `in the installer of ${platform}, ${problem}`
  }
  return undefined
}

/** `below`: names of packages in the layers beneath, which what stands here may need. */
function packagesProblem(
  packages: readonly LockedPackage[],
  suites: ReadonlySet<string>,
  below: ReadonlySet<string>,
): string | undefined {
  const names = new Set([...below, ...packages.map((locked) => locked.name)])
  const layers = new Set<string>()
  const seen = new Set<string>()
  for (const [index, locked] of packages.entries()) {
    const before = packages[index - 1]
    if (seen.has(locked.name)) return `${locked.name} is listed twice`
    seen.add(locked.name)
    if (!suites.has(locked.suite) && locked.suite !== localSuite) {
      return `${locked.name} is from ${locked.suite}, which is not among the archives`
    }
    const sameLayer = before?.layer === locked.layer
    if (sameLayer ? before.name > locked.name : layers.has(locked.layer)) {
      return `${locked.name} stands out of order`
    }
    layers.add(locked.layer)
    const lost = locked.needs.find((need) => !names.has(need))
    if (lost !== undefined) {
      const near = nearest(lost, names)[0]
      return `${locked.name} needs ${lost}, which is not locked${near === undefined ? '' : ` (${near}?)`}`
    }
  }
  return undefined
}

function parseJson(source: string, label: string): unknown {
  if (/^(?:<{7}|={7}|>{7})/m.test(source)) {
    throw badInput(
      'bad-lock',
      `${label} holds the marks of a merge conflict: take one side of it whole, then run: ${commandName()} lock`,
    )
  }
  try {
    return JSON.parse(source.replace(/^\uFEFF/, ''))
  } catch {
    throw editedWrongly(label, 'it is not JSON')
  }
}

function refuseNewer(value: unknown, label: string): void {
  const { lockVersion: form, assemblyVersion: assembly } = Object(value) as Record<string, unknown>
  if (Number.isSafeInteger(form) && form !== lockVersion) {
    throw badInput(
      'bad-lock',
      `${label} has lockVersion ${form}, and this ${programName()} reads ${lockVersion}: ` +
        ((form as number) > lockVersion
          ? `use the ${programName()} that wrote it, or a newer one.`
          : `delete it, then run: ${commandName()} lock`),
    )
  }
  if (Number.isSafeInteger(assembly) && (assembly as number) > assemblyVersion) {
    throw badInput(
      'bad-lock',
      `${label} is for assemblyVersion ${assembly}, and this ${programName()} builds by ${assemblyVersion}, which would give other bytes: use the ${programName()} that wrote it, or a newer one.`,
    )
  }
}

function editedWrongly(label: string, problem: string): SlipwayError {
  return badInput(
    'bad-lock',
    `${label} was changed by hand or damaged: ${problem}. Put the committed one back, or delete it and run: ${commandName()} lock`,
  )
}
