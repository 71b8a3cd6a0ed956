import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { compareBytes } from '../../lib/compare-bytes.ts'
import { badInput } from '../../lib/errors.ts'

/** A package of npm that Slipway needs to run. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** Absolute. */
  readonly folder: string
  /** "node_modules/ajv", as package-lock.json names it. */
  readonly place: string
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * What the package in `root` depends on, and what that depends on, found as Node finds it and ordered by place. Optional
 * dependencies are left out: they are there on some machines only. Throws `unfit-packages` where one is missing, or is
 * of another version than package-lock.json says.
 */
export async function findPackages(root: string): Promise<InstalledPackage[]> {
  const found = new Map<string, InstalledPackage>()
  const visit = async (from: string): Promise<void> => {
    const { dependencies = {}, optionalDependencies = {} } = (await readManifest(from))!
    for (const name of Object.keys(dependencies)) {
      // Packages of types hold no code.
      if (Object.hasOwn(optionalDependencies, name) || name.startsWith('@types/')) continue
      const { folder, version } = await findPackage(from, name)
      if (found.has(folder)) continue
      found.set(folder, { name, version, folder, place: placeOf(folder, root) })
      await visit(folder)
    }
  }
  await visit(path.resolve(root))
  const packages = [...found.values()].sort((a, b) => compareBytes(a.place, b.place))
  await checkVersions(root, packages)
  return packages
}

async function findPackage(from: string, name: string): Promise<{ folder: string; version: string }> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', ...name.split('/'))
    const manifest = await readManifest(candidate)
    if (manifest) return { folder: candidate, version: manifest.version }
    if (folder === path.dirname(folder)) throw unfit(`${name} is missing`)
  }
}

/** From the outermost node_modules: that of `root`, or where `root` is installed itself, the one that it is in. */
function placeOf(folder: string, root: string): string {
  const marker = `${path.sep}node_modules${path.sep}`
  const within = path.resolve(root).lastIndexOf(marker)
  const start = folder.indexOf(marker, within < 0 ? path.resolve(root).length : within)
  return folder
    .slice(start + 1)
    .split(path.sep)
    .join('/')
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  const text = await readFile(path.join(folder, 'package.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Manifest)
}

/** A checkout has a package-lock.json: other versions would give other bytes than on the next machine. */
async function checkVersions(root: string, packages: readonly InstalledPackage[]): Promise<void> {
  const text = await readFile(path.join(root, 'package-lock.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return
  const { packages: locked } = JSON.parse(text) as { packages: Record<string, { version?: string }> }
  for (const { place, version } of packages) {
    const wanted = locked[place]?.version
    if (wanted !== version)
      throw unfit(`${place} is ${version}, and package-lock.json says ${wanted ?? 'nothing of it'}`)
  }
}

function unfit(why: string): Error {
  return badInput(
    'unfit-packages',
    `The packages beside Slipway are not those that it was made with: ${why}. Bring them back with: npm ci`,
  )
}
