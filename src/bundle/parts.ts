import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { badInput } from '../lib/errors.ts'
import { parseJson } from '../lib/parse-json.ts'
import { count, listOf, object, text } from '../lock/lock-shape.ts'
import { type BundleFile, openPieces, openWhole, unreadable } from './bundle-file.ts'
import { limits } from './format.ts'
import { refused } from './refuse.ts'

/** `<bundle>.parts`: what tells the parts of one bundle from any other's. Not signed: what they join to is. */
export interface PartsManifest {
  readonly format: 1
  /** The bundle's own name. */
  readonly name: string
  readonly size: number
  readonly parts: readonly { readonly name: string; readonly size: number; readonly sha256: string }[]
}

export interface OpenedFile {
  readonly file: BundleFile
  /** For a bundle in parts that was found wrong: the part that is, as an error; undefined where all are right. */
  readonly diagnose?: (signal?: AbortSignal) => Promise<Error | undefined>
}

export const partsSuffix = '.parts'

/** "acme.tar", 1 → "acme.tar.001" */
export function partName(name: string, number: number): string {
  return `${name}.${String(number).padStart(3, '0')}`
}

/**
 * Opens a bundle by its file, by any of its parts, by their list, or by the name that the parts begin with. Parts are
 * read one after the other as if they were one file. Throws `no-bundle`, `missing-part`, `foreign-part`, exit code 2.
 */
export async function openBundleFile(file: string): Promise<OpenedFile> {
  const stem = await stemOf(file)
  if (stem === undefined) return { file: await openWhole(file) }
  const list = await readParts(`${stem}${partsSuffix}`)
  const folder = path.dirname(stem)
  const pieces = list.parts.map(({ name, size }) => ({ file: path.join(folder, name), size }))
  for (const [index, { name, size }] of list.parts.entries()) {
    const found = await stat(pieces[index]!.file).catch(() => undefined)
    if (!found?.isFile()) throw missing(list, name)
    if (found.size !== size) {
      throw refused(
        'foreign-part',
        list.name,
        `its part ${name} has ${found.size} bytes, and ${list.name}${partsSuffix} says ${size}`,
      )
    }
  }
  return {
    file: await openPieces(list.name, pieces),
    diagnose: (signal) => findWrongPart(folder, list, signal),
  }
}

/** What the parts' names begin with; undefined for a bundle in one file. */
async function stemOf(file: string): Promise<string | undefined> {
  if (file.endsWith(partsSuffix)) return file.slice(0, -partsSuffix.length)
  const part = /^(.*)\.\d{3,}$/.exec(file)
  if (part) return part[1]
  if (await exists(file)) return undefined
  return (await exists(`${file}${partsSuffix}`)) || (await exists(partName(file, 1))) ? file : undefined
}

const shape = object({
  format: count,
  name: text(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a file name'),
  size: count,
  parts: listOf(
    object({
      name: text(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a file name'),
      size: count,
      sha256: text(/^[0-9a-f]{64}$/, 'a SHA-256 in hex'),
    }),
  ),
})

async function readParts(file: string): Promise<PartsManifest> {
  const name = path.basename(file)
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile())
    throw badInput(
      'missing-part',
      `There is no ${name} beside the parts, which lists them; put all files of the bundle into one folder and run the same command again.`,
    )
  if (found.size > limits.manifest)
    throw refused('bad-bundle', name, `it is larger than any list of a bundle's parts`)
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(name, error)
  })
  const value = parseJson(source)
  const list = value as PartsManifest
  const problem =
    (value === undefined ? 'it is not JSON' : shape(value, '')) ??
    (list.format === 1 ? undefined : `format is ${list.format}, not 1`) ??
    (list.parts.every((part, index) => part.name === partName(list.name, index + 1))
      ? undefined
      : 'its parts are not numbered from 001')
  if (problem === undefined) return list
  throw refused('bad-bundle', name, `it is no list of a bundle's parts: ${problem}`)
}

/** A part that is not itself: another one of this bundle, or of no bundle known here. */
async function findWrongPart(
  folder: string,
  list: PartsManifest,
  signal: AbortSignal | undefined,
): Promise<Error | undefined> {
  for (const { name, sha256 } of list.parts) {
    const found = await hashOf(path.join(folder, name), signal)
    if (found === sha256) continue
    const other = list.parts.find((part) => part.sha256 === found)
    const what = other
      ? `the file ${name} is the part ${other.name}; give them their own names`
      : `the file ${name} is not that part of it, or is damaged`
    return refused('foreign-part', list.name, what)
  }
  return undefined
}

async function hashOf(file: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256')
  const stream = createReadStream(file, { highWaterMark: 1 << 20, ...(signal && { signal }) })
  for await (const chunk of stream) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

function missing({ name, parts }: PartsManifest, part: string): Error {
  return badInput(
    'missing-part',
    `${name} is in ${parts.length} parts, and ${part} is missing; put all of them into one folder and run the same command again.`,
  )
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined
}
