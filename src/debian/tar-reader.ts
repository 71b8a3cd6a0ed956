import { nameFault } from '../lib/name-fault.ts'
import { damaged } from './ar.ts'

/** An entry of a package's tar. Paths are relative, without `./`; contents are views of the archive. */
export interface TarEntry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink'
  /** Permission bits with set-id and sticky: 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch. */
  readonly mtime: number
  /** Symlink: the text of the link. Hardlink: the path of the target. */
  readonly target?: string
  /** Regular files: the bytes. */
  readonly content?: Uint8Array
  /** The value of the security.capability attribute (vfs_cap_data, capabilities(7)), where a pax header has it. */
  readonly capability?: Uint8Array
}

const block = 512

const sparse = 'it holds a sparse file, which is not read here: pack it without --sparse (-S)'

/**
 * Reads a tar (POSIX ustar and pax, GNU long names) as dpkg accepts it. Refused with `damaged-deb`: a wrong checksum,
 * an early end, absolute paths, `..`, names that no host takes, device nodes, sparse files, and links that lead out of the tree.
 */
export function readTar(tar: Uint8Array): TarEntry[] {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.length)
  const entries: TarEntry[] = []
  let overrides: Overrides = {}
  let offset = 0
  for (;;) {
    if (offset + block > bytes.length) throw damaged('its tar ends early')
    if (isZero(bytes, offset)) return entries
    verifyChecksum(bytes, offset)
    const typeflag = String.fromCharCode(bytes[offset + 156] || 0x30)
    const size = overrides.size ?? number(bytes, offset + 124, 12)
    const start = offset + block
    const next = start + Math.ceil(size / block) * block
    if (start + size > bytes.length) throw damaged('its tar ends inside a file')
    const content = bytes.subarray(start, start + size)
    offset = next
    if (typeflag === 'L') overrides = { ...overrides, path: untilZero(content) }
    else if (typeflag === 'K') overrides = { ...overrides, target: untilZero(content) }
    else if (typeflag === 'x') overrides = { ...overrides, ...readPax(content) }
    else if (typeflag !== 'g') {
      const entry = readEntry(bytes, start - block, typeflag, overrides, content)
      if (entry) entries.push(entry)
      overrides = {}
    }
  }
}

interface Overrides {
  path?: string
  target?: string
  size?: number
  mtime?: number
  capability?: Uint8Array
}

function readEntry(
  bytes: Buffer,
  header: number,
  typeflag: string,
  overrides: Overrides,
  content: Uint8Array,
): TarEntry | undefined {
  const rawPath = overrides.path ?? headerPath(bytes, header)
  const path = safePath(rawPath)
  if (path === '') return undefined
  const base = {
    path,
    mode: number(bytes, header + 100, 8) & 0o7777,
    uid: number(bytes, header + 108, 8),
    gid: number(bytes, header + 116, 8),
    mtime: Math.floor(overrides.mtime ?? number(bytes, header + 136, 12)),
  }
  const target = overrides.target ?? field(bytes, header + 157, 100)
  switch (typeflag) {
    case '0':
    case '7':
      return {
        ...base,
        type: 'file',
        content,
        ...(overrides.capability && { capability: overrides.capability }),
      }
    case '1':
      return { ...base, type: 'hardlink', target: safePath(target) }
    case '2':
      return { ...base, type: 'symlink', target: safeLink(path, target) }
    case '5':
      return { ...base, type: 'directory' }
    case '3':
    case '4':
    case '6':
      throw damaged(`it holds a device node or pipe, /${path}, which a package may not`)
    case 'S':
      throw damaged(sparse)
    default:
      throw damaged(`/${path} is of an unknown kind (tar type "${typeflag}")`)
  }
}

function headerPath(bytes: Buffer, header: number): string {
  const name = field(bytes, header, 100)
  const prefix =
    bytes.toString('latin1', header + 257, header + 263) === 'ustar\0' ? field(bytes, header + 345, 155) : ''
  return prefix ? `${prefix}/${name}` : name
}

/** A path as a package may hold it: relative to the root and not above it. */
function safePath(raw: string): string {
  if (raw.startsWith('/')) throw damaged(`it holds the absolute path ${raw}`)
  const parts = raw.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw damaged(`it holds the path ${raw}, which leads out of the tree`)
  for (const part of parts) {
    const fault = nameFault(part)
    if (fault) throw damaged(`it holds /${raw}, which ${fault}`)
  }
  return parts.join('/')
}

/** A symbolic link may be absolute (within the image) or climb, but never above the root. */
function safeLink(path: string, target: string): string {
  if (target === '') throw damaged(`the link /${path} has no target`)
  let depth = target.startsWith('/') ? 0 : path.split('/').length - 1
  for (const part of target.split('/')) {
    if (part === '..') depth--
    else if (part !== '' && part !== '.') depth++
    if (depth < 0) throw damaged(`the link /${path} to ${target} leads out of the tree`)
  }
  return target
}

/** pax extended header records: `length key=value\n` (POSIX pax, "Extended Header"). */
function readPax(content: Buffer): Overrides {
  const overrides: Overrides = {}
  let offset = 0
  while (offset < content.length) {
    const space = content.indexOf(0x20, offset)
    const length = Number(content.toString('latin1', offset, space))
    if (space < 0 || !Number.isInteger(length) || length < 5 || offset + length > content.length) {
      throw damaged('it holds a broken pax header')
    }
    const record = content.subarray(space + 1, offset + length - 1)
    const equals = record.indexOf('=')
    const value = record.toString('utf8', equals + 1)
    const key = record.toString('utf8', 0, equals)
    // What follows is a map of holes under a made-up name, not the file (GNU tar's manual, "PAX Format, Versions 0.0 to 1.0").
    if (key.startsWith('GNU.sparse.')) throw damaged(sparse)
    switch (key) {
      case 'path':
        overrides.path = value
        break
      case 'linkpath':
        overrides.target = value
        break
      case 'size':
        // Anything but digits could lead back to this header, or past the end, where a tar seems to be over.
        if (!/^\d{1,15}$/.test(value)) throw damaged('it holds a broken pax header')
        overrides.size = Number(value)
        break
      case 'mtime':
        overrides.mtime = Number(value)
        break
      case 'SCHILY.xattr.security.capability':
        overrides.capability = record.subarray(equals + 1)
    }
    offset += length
  }
  return overrides
}

function verifyChecksum(bytes: Buffer, offset: number): void {
  let sum = 8 * 0x20
  for (let index = 0; index < block; index++) if (index < 148 || index >= 156) sum += bytes[offset + index]!
  if (sum !== number(bytes, offset + 148, 8)) throw damaged('a tar header has a wrong checksum')
}

/** An octal field, or GNU's base-256 form for large values. */
function number(bytes: Buffer, offset: number, length: number): number {
  if (bytes[offset]! & 0x80) {
    let value = bytes[offset]! & 0x7f
    for (let index = 1; index < length; index++) value = value * 256 + bytes[offset + index]!
    return value
  }
  const text = field(bytes, offset, length).trim()
  if (text === '') return 0
  if (!/^[0-7]+$/.test(text)) throw damaged('a tar header holds a number that is none')
  return Number.parseInt(text, 8)
}

function field(bytes: Buffer, offset: number, length: number): string {
  return untilZero(bytes.subarray(offset, offset + length))
}

function untilZero(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

function isZero(bytes: Buffer, offset: number): boolean {
  for (let index = offset; index < offset + block; index++) if (bytes[index] !== 0) return false
  return true
}
