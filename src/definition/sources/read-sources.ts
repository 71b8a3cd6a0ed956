import { readFile, stat } from 'node:fs/promises'
import { formatBytes } from '../../lib/bytes.ts'
import { commandName } from '../../lib/command-name.ts'
import { sha256Hex } from '../../lib/digest.ts'
import { badInput } from '../../lib/errors.ts'
import { debianArchitecture } from '../../lib/platform.ts'
import type { Component, Definition } from '../definition.ts'
import { inRoot } from '../roots.ts'
import { describeFolder, readFolder } from './directory.ts'
import { readLocalDeb } from './local-deb.ts'
import type { LocalDeb, ProductSources, SourceTree, TreeRule } from './source.ts'
import { readTarball } from './tarball.ts'

export type SourcePlace = Pick<Definition, 'roots'>

export const noSources: ProductSources = { debs: [], trees: [] }

/**
 * Reads and hashes what the components' `sources` name; a product without any costs nothing. Throws `no-such-source`,
 * `bad-source`, `local-deb-twice` and `local-deb-missing` (exit code 2).
 */
export async function readSources(definition: Definition): Promise<ProductSources> {
  if (definition.components.every(({ sources }) => sources.length === 0)) return noSources
  const debs: LocalDeb[] = []
  const trees: SourceTree[] = []
  for (const component of definition.components) {
    for (const rule of component.sources) {
      const file = await findSource(definition, component, rule.path)
      if (rule.kind !== 'directory') await requireFile(file, rule.path)
      if (rule.kind === 'deb') {
        debs.push({ component: component.name, package: await readLocalDeb(file, rule.path) })
      } else {
        trees.push(await readTree(component.name, rule, file))
      }
    }
  }
  checkDebs(definition, debs)
  return { debs, trees }
}

/** The absolute path of a source, of the product's own directory or the nearest parent's; throws `no-such-source`. */
export async function findSource(
  place: SourcePlace,
  component: Pick<Component, 'name'> | undefined,
  source: string,
): Promise<string> {
  for (const root of place.roots) {
    const file = inRoot(root, source)
    if (await stat(file).catch(() => undefined)) return file
  }
  const asked = component ? `, which images/${component.name}/component.yaml lists under sources` : ''
  throw badInput('no-such-source', `There is no ${source}${asked}; put it there, or take it out of the list.`)
}

/** Node reads no larger file at once. */
const largestFile = 2 ** 31 - 1

async function requireFile(file: string, source: string): Promise<void> {
  const found = await stat(file)
  if (!found.isFile())
    throw badInput('bad-source', `${source} is no file; put one in its place, or name it as a directory.`)
  if (found.size > largestFile)
    throw badInput(
      'bad-source',
      `${source} has ${formatBytes(found.size)}, and what a component takes is read up to 2 GiB; divide it into several, or leave out what the image does not need.`,
    )
}

async function readTree(component: string, rule: TreeRule, file: string): Promise<SourceTree> {
  if (rule.kind === 'directory') {
    const entries = await readFolder(file, rule)
    return { component, rule, ...describeFolder(entries), entries: async () => entries }
  }
  const bytes = await readFile(file)
  const sha256 = sha256Hex(bytes)
  return {
    component,
    rule,
    size: bytes.length,
    sha256,
    entries: async () => readTarball(await readUnchanged(file, rule, sha256), rule),
  }
}

/** The archive that was hashed, and no other: by its hash a layer is cached. */
async function readUnchanged(file: string, { path }: TreeRule, sha256: string): Promise<Uint8Array> {
  const bytes = await readFile(file)
  if (sha256Hex(bytes) === sha256) return bytes
  throw badInput(
    'bad-source',
    `${path} was changed while it was read; once it is whole, run: ${commandName()} lock`,
  )
}

/** One `.deb` of a name for each platform that is built, and for no platform two. */
function checkDebs({ platforms }: Definition, debs: readonly LocalDeb[]): void {
  for (const { component, package: one } of debs) {
    const same = debs.filter((other) => other.package.name === one.name).map((other) => other.package)
    for (const platform of platforms) {
      const architecture = debianArchitecture(platform)
      const fitting = same.filter((other) => ['all', architecture].includes(other.architecture))
      if (fitting.length > 1) {
        throw badInput(
          'local-deb-twice',
          `${fitting.map((other) => other.path).join(' and ')} are both ${one.name} for ${platform}; keep one of them under sources.`,
        )
      }
      if (fitting.length === 1) continue
      throw badInput(
        'local-deb-missing',
        `${component} has ${one.name} as a local .deb for ${same.map((other) => other.architecture).join(', ')} only, and appliance.yaml builds ${platform} too; add its .deb for ${architecture} to sources, or take the platform out.`,
      )
    }
  }
}
