import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'yaml'
import type { Definition } from '../../definition/definition.ts'
import { type OverlayFile, overlayFile } from '../../definition/overlay.ts'
import { formatParsed, parsedName } from '../../definition/parsed-ahead.ts'
import type { Root } from '../../definition/roots.ts'
import { parseYaml } from '../../definition/yaml-file.ts'
import { compareBytes } from '../../lib/compare-bytes.ts'
import { errorCode } from '../../lib/errors.ts'
import { lockName } from '../../lock/read-lock.ts'
import { readPublicKeys } from '../key.ts'

/** Where the product directory is in the installer image, relative to its root. */
export const productFolder = 'usr/share/slipway/product'

/** What a host needs of a product directory: not what went into the image. */
const wanted = [
  /^(?:compose|profiles)(?:\/.*)?$/,
  /^images$/,
  /^images\/[^/]+$/,
  /^images\/[^/]+\/component\.yaml$/,
  /^images\/keyrings\/.*$/,
]

/**
 * A product directory, and those that it extends, as files of an image: what describes it, its profiles and public keys,
 * and the lock. Each parent lies beside it, and `extends` says where.
 */
export async function readProductFiles(definition: Definition): Promise<OverlayFile[]> {
  const { roots, keys, brand } = definition
  // A private key that stands there by mistake must not leave the house.
  await readPublicKeys(keys)
  const named = [...keys, ...definition.debian.keyrings, ...(brand.logo === undefined ? [] : [brand.logo])]
  const places = roots.map((_, level) => (level === 0 ? productFolder : `${productFolder}-parent-${level}`))
  const files = await Promise.all(
    roots.map(async (root, level) => {
      const listed = named.filter((file) => isWithin(root, file))
      const found = [
        ...(await readWanted(root.directory)),
        ...(await Promise.all(listed.map((file) => readOne(root, file)))),
        ...(level === 0 ? await readIfThere(root, lockName) : []),
        await readAppliance(
          root,
          level + 1 < roots.length ? `../${path.posix.basename(places[level + 1]!)}` : '',
        ),
      ]
      return found.map((file) => ({ ...file, path: `${places[level]}/${file.path}` }))
    }),
  )
  const distinct = new Map(files.flat().map((file) => [file.path, file]))
  return [...distinct.values()].sort((a, b) => compareBytes(a.path, b.path))
}

/** What the YAML of these files says, for the program to have at once; beside the product. */
export function parsedFile(files: readonly OverlayFile[]): OverlayFile {
  const texts = files
    .filter((file) => file.path.endsWith('.yaml') && file.content)
    .map(({ content }) => Buffer.from(content!).toString('utf8'))
  const parsed = [...new Set(texts)].map((text) => [text, parseYaml(text, '')] as const)
  const right = parsed.filter(([, { problems }]) => problems.length === 0)
  const values = new Map(right.map(([text, { value }]) => [text, value]))
  return overlayFile(
    path.posix.join(path.posix.dirname(productFolder), parsedName),
    Buffer.from(formatParsed(values)),
  )
}

/** `appliance.yaml`, with the parent where the image has it. JSON is YAML. */
async function readAppliance(root: Root, parent: string): Promise<OverlayFile> {
  const text = await readFile(path.join(root.directory, 'appliance.yaml'), 'utf8')
  if (parent === '') return overlayFile('appliance.yaml', Buffer.from(text))
  const value = { ...(parse(text) as object), extends: parent }
  return overlayFile('appliance.yaml', Buffer.from(`${JSON.stringify(value, null, 2)}\n`))
}

async function readWanted(folder: string, at = ''): Promise<OverlayFile[]> {
  const entries = await readdir(path.join(folder, at), { withFileTypes: true })
  const parts = await Promise.all(
    entries.map(async (entry) => {
      const relative = path.posix.join(at, entry.name)
      if (!wanted.some((form) => form.test(relative))) return []
      if (entry.isDirectory()) return readWanted(folder, relative)
      return [overlayFile(relative, await readFile(path.join(folder, relative)))]
    }),
  )
  return parts.flat()
}

function isWithin({ directory }: Root, file: string): boolean {
  const relative = path.relative(directory, file)
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)
}

async function readOne({ directory }: Root, file: string): Promise<OverlayFile> {
  const name = path.relative(directory, file).split(path.sep).join('/')
  return overlayFile(name, await readFile(file))
}

async function readIfThere(root: Root, name: string): Promise<OverlayFile[]> {
  try {
    return [await readOne(root, path.join(root.directory, name))]
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
