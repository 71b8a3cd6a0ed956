import { compareBytes } from '../lib/compare-bytes.ts'
import { badInput, SlipwayError } from '../lib/errors.ts'
import { baseOf } from './file-tree.ts'
import type { Entry } from './tree.ts'

const block = 512
const zeros = new Uint8Array(block)
const typeflags = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
} as const

/**
 * A layer's tar as views that follow each other: headers and padding made here, contents as they are. The same entries
 * give the same bytes: ordered bytewise with parents first, a hard link after its target, POSIX ustar with a pax
 * header only where a field needs one (POSIX.1-2017 pax, "ustar Interchange Format").
 */
export function writeTar(entries: Iterable<Entry>): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (const entry of orderEntries(entries)) {
    const records = paxRecords(entry)
    if (records.length > 0) {
      const content = Buffer.from(records)
      pieces.push(
        header({
          name: `PaxHeaders/${baseOf(entry.path)}`.slice(0, 99),
          typeflag: 'x',
          size: content.length,
          mode: 0o644,
        }),
        content,
        padding(content.length),
      )
    }
    const size = entry.type === 'file' ? entry.content!.length : 0
    pieces.push(entryHeader(entry, size))
    if (size > 0) pieces.push(entry.content!, padding(size))
  }
  pieces.push(zeros, zeros)
  return pieces.filter((piece) => piece.length > 0)
}

/** Bytewise by path, which puts parents first; hard links behind everything, since targets must come before them. */
export function orderEntries(entries: Iterable<Entry>): Entry[] {
  return [...entries].sort(
    (a, b) => Number(a.type === 'hardlink') - Number(b.type === 'hardlink') || compareBytes(a.path, b.path),
  )
}

/**
 * The header of a root's plain file of mode 0644. Throws `long-name` (exit code 2) where only a pax record could hold the
 * path: `install.sh` and every reader of bundles do without. @param date seconds
 */
export function fileHeader(path: string, size: number, date: number): Uint8Array {
  const fields = splitPath(path)
  if (!fields)
    throw badInput(
      'long-name',
      `${path} cannot go into a bundle: a file's name there has at most 100 bytes, and its folders 155; give it a shorter one.`,
    )
  return header({ ...fields, typeflag: typeflags.file, size, mode: 0o644, mtime: date })
}

function entryHeader(entry: Entry, size: number): Uint8Array {
  const path = entry.type === 'directory' ? `${entry.path}/` : entry.path
  const split = splitPath(path) ?? { name: cut(path, 100), prefix: '' }
  return header({
    ...split,
    typeflag: typeflags[entry.type],
    size,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime,
    target: entry.target === undefined ? '' : cut(entry.target, 100),
  })
}

interface Header {
  readonly name: string
  readonly typeflag: string
  readonly size: number
  readonly mode: number
  readonly prefix?: string
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly target?: string
}

function header(fields: Header): Uint8Array {
  const bytes = takeBlock()
  bytes.write(fields.name, 0, 100, 'utf8')
  octal(bytes, 100, 8, fields.mode)
  octal(bytes, 108, 8, fields.uid ?? 0)
  octal(bytes, 116, 8, fields.gid ?? 0)
  octal(bytes, 124, 12, fields.size)
  octal(bytes, 136, 12, fields.mtime ?? 0)
  bytes.write(fields.typeflag, 156, 1, 'latin1')
  bytes.write(fields.target ?? '', 157, 100, 'utf8')
  bytes.write('ustar\x0000', 257, 8, 'latin1')
  octal(bytes, 329, 8, 0)
  octal(bytes, 337, 8, 0)
  bytes.write(fields.prefix ?? '', 345, 155, 'utf8')
  let sum = 8 * 0x20
  for (let index = 0; index < block; index++) sum += bytes[index]!
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
  return bytes
}

let arena = new SharedArrayBuffer(0)
let used = 0

/** A zeroed block of memory that threads share: headers are many, and no message then copies them. */
function takeBlock(): Buffer {
  if (used + block > arena.byteLength) {
    arena = new SharedArrayBuffer(512 * block)
    used = 0
  }
  used += block
  return Buffer.from(arena, used - block, block)
}

function octal(bytes: Buffer, offset: number, length: number, value: number): void {
  const text = value.toString(8)
  if (value < 0 || text.length >= length) {
    throw new SlipwayError('tar-field', `A tar header cannot hold the number ${value} in ${length} bytes.`)
  }
  bytes.write(`${text.padStart(length - 1, '0')}\0`, offset, length, 'latin1')
}

/** The name and prefix fields that hold a path, or undefined where only a pax record can. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' }
  const folderSlash = path.endsWith('/') ? path.length - 1 : path.length
  for (
    let slash = path.lastIndexOf('/', folderSlash - 1);
    slash > 0;
    slash = path.lastIndexOf('/', slash - 1)
  ) {
    const name = path.slice(slash + 1)
    const prefix = path.slice(0, slash)
    if (Buffer.byteLength(name) > 100) return undefined
    if (Buffer.byteLength(prefix) <= 155) return { name, prefix }
  }
  return undefined
}

/** pax records of what the header cannot hold: long paths and targets, and file capabilities. */
function paxRecords(entry: Entry): Uint8Array {
  const records: Buffer[] = []
  const path = entry.type === 'directory' ? `${entry.path}/` : entry.path
  if (!splitPath(path)) records.push(paxRecord('path', Buffer.from(path)))
  if (entry.target !== undefined && Buffer.byteLength(entry.target) > 100) {
    records.push(paxRecord('linkpath', Buffer.from(entry.target)))
  }
  if (entry.capability)
    records.push(paxRecord('SCHILY.xattr.security.capability', Buffer.from(entry.capability)))
  return Buffer.concat(records)
}

function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function cut(text: string, bytes: number): string {
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\ufffd+$/, '')
}

function padding(size: number): Uint8Array {
  const rest = size % block
  return rest === 0 ? zeros.subarray(0, 0) : zeros.subarray(rest)
}
