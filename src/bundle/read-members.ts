import type { BundleFile } from './bundle-file.ts'
import { limits } from './format.ts'
import { quoted, refused } from './refuse.ts'
import { block, isHeaderWhole, octalField, paddingOf, textField } from './tar-block.ts'

/** A file in the tar, as its header tells. */
export interface Member {
  readonly path: string
  readonly size: number
  /** Where its header and its content begin. */
  readonly header: number
  readonly content: number
}

const kinds: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '5': 'a folder',
  '6': 'a pipe',
}

/**
 * Lists a bundle's files by their headers alone, without reading what is in them. Throws `damaged-bundle`, and
 * `unsafe-bundle` for what no bundle holds: links, devices, folders, paths that lead out, a path twice.
 */
export async function readMembers(file: BundleFile): Promise<Member[]> {
  const members: Member[] = []
  const paths = new Set<string>()
  for (let header = 0; ; ) {
    const bytes = await file.read(header, block)
    if (bytes.length === 0 && header > 0) throw cutOff(file, members.at(-1))
    if (bytes.length < block) throw header === 0 ? noBundle(file) : cutOff(file, members.at(-1))
    if (bytes.every((byte) => byte === 0)) return members
    const member = readHeader(file, bytes, header)
    if (paths.has(member.path)) throw unsafe(file, `it holds ${quoted(member.path)} twice`)
    paths.add(member.path)
    members.push(member)
    if (members.length > limits.files) throw unsafe(file, `it holds more than ${limits.files} files`)
    header = member.content + member.size + paddingOf(member.size)
    if (header > file.size) throw cutOff(file, member)
  }
}

function readHeader(file: BundleFile, bytes: Buffer, header: number): Member {
  if (textField(bytes, 257, 5) !== 'ustar' || !isHeaderWhole(bytes))
    throw header === 0 ? noBundle(file) : damaged(file, `the tar header at byte ${header} is damaged`)
  const prefix = textField(bytes, 345, 155)
  const name = textField(bytes, 0, 100)
  const path = prefix === '' ? name : `${prefix}/${name}`
  const kind = String.fromCharCode(bytes[156]!)
  if (kind !== '0' && kind !== '\0')
    throw unsafe(file, `it holds ${quoted(path)}, which is ${kinds[kind] ?? 'no plain file'}`)
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.includes('\\'))
    throw unsafe(file, `it holds ${quoted(path)}, which is no path within it`)
  if (path.split('/').some((part) => part === '..'))
    throw unsafe(file, `it holds ${quoted(path)}, which leads out of it`)
  if (path.split('/').some((part) => part === '' || part === '.') || /\p{Cc}/u.test(path))
    throw unsafe(file, `it holds ${quoted(path)}, which is no plain path`)
  const size = octalField(bytes, 124, 12)
  if (size === undefined) throw damaged(file, `the tar header at byte ${header} is damaged`)
  return { path, size, header, content: header + block }
}

export function damaged(file: Pick<BundleFile, 'name'>, reason: string, cause?: unknown): Error {
  return refused('damaged-bundle', file.name, reason, cause)
}

export function unsafe(file: Pick<BundleFile, 'name'>, reason: string): Error {
  return refused('unsafe-bundle', file.name, reason)
}

function noBundle(file: BundleFile): Error {
  return refused('no-bundle', file.name, 'it is no bundle')
}

function cutOff(file: BundleFile, last: Member | undefined): Error {
  return damaged(
    file,
    `it is cut off at byte ${file.size}${last ? `, in or after ${quoted(last.path)}` : ''}`,
  )
}
